// The inputs of a task: rows are added from a template and removed; the form reads them in order.
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-add-row], [data-remove-row]");
  if (!button) return;
  if ("removeRow" in button.dataset) {
    button.closest("[data-row]").remove();
    return;
  }
  const panel = button.closest("section");
  const row = panel.querySelector("[data-row-template]").content.firstElementChild.cloneNode(true);
  panel.querySelector("[data-rows]").append(row);
  row.querySelector("input").focus();
});
