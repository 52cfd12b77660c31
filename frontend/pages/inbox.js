// The inbox: filters act at once, and a conversation stays at its end while it is read there.
const NEAR_PX = 80;

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-submit]")) target.form.requestSubmit();
});

for (const pane of document.querySelectorAll("[data-stick-to-end]")) {
  const scrolls = () => pane.scrollHeight > pane.clientHeight + 1;
  const toEnd = () => scrolls() && pane.scrollTo({ top: pane.scrollHeight });
  let atEnd = true;
  pane.addEventListener("scroll", () => {
    atEnd = pane.scrollHeight - pane.scrollTop - pane.clientHeight < NEAR_PX;
  });
  const grown = new ResizeObserver(() => atEnd && toEnd());
  for (const part of pane.children) grown.observe(part);
  toEnd();
}
