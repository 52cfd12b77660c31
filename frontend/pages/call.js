// The words of live calls while they are spoken. On a call's page: one grey bubble for each side,
// replaced by the turn of the transcript when that has arrived. In a list: the line of the moment.
document.addEventListener("live:data", ({ target, detail: { speaker, text } }) => {
  const line = target.closest("[data-words-line]");
  if (line && text) line.textContent = text;
  const bubble = target.closest("[data-words]");
  if (!bubble || bubble.dataset.words !== speaker) return;
  bubble.querySelector("[data-words-text]").textContent = text;
  bubble.hidden = text === "";
});
