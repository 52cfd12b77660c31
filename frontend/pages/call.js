// The words of a live call while they are spoken: one grey bubble for each side, replaced by the
// turn of the transcript when that has arrived.
document.addEventListener("live:data", (event) => {
  const bubble = event.target.closest("[data-words]");
  const { speaker, text } = event.detail;
  if (!bubble || bubble.dataset.words !== speaker) return;
  bubble.querySelector("[data-words-text]").textContent = text;
  bubble.hidden = text === "";
});
