// Chooses light or dark before the first paint; loaded in the head, blocking, a few bytes.
const chosen = localStorage.getItem("theme");
if (chosen) document.documentElement.dataset.theme = chosen;
