// Stripe's own form for a card and its window to the card's bank, on our pages. Card numbers go from
// Stripe's frame to Stripe; what it says here is never believed: the server asks Stripe afterwards.

const say = (form, sentence) => {
  const note = document.getElementById("message-template").content.cloneNode(true);
  note.querySelector("[data-sentence]").textContent = sentence;
  note.querySelector("[data-remedy]").textContent = "";
  form.querySelector("[data-messages]").replaceChildren(note);
};

const busy = (form, on) => {
  const button = form.querySelector("button[type=submit]");
  button.disabled = on;
  button.setAttribute("aria-busy", String(on));
};

const open = (form) => {
  if (!globalThis.Stripe) {
    say(form, "Stripe's script could not be loaded. Allow js.stripe.com, then reload the page.");
    busy(form, true);
    return null;
  }
  return globalThis.Stripe(form.dataset.key);
};

const isDark = () =>
  getComputedStyle(document.documentElement).colorScheme === "dark" ||
  document.documentElement.dataset.theme?.includes("dark");

// Runs `ask` when the form is sent; the form itself goes to the server when Stripe is done.
const onSubmit = (form, ask) =>
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    busy(form, true);
    form.querySelector("[data-messages]").replaceChildren();
    const { error } = await ask();
    if (error && error.type === "validation_error") {
      busy(form, false);
    } else if (error && form.hasAttribute("data-stripe-card")) {
      say(form, error.message);
      busy(form, false);
    } else {
      form.submit();
    }
  });

for (const form of document.querySelectorAll("[data-stripe-card]")) {
  const stripe = open(form);
  if (!stripe) continue;
  const elements = stripe.elements({
    clientSecret: form.dataset.secret,
    appearance: { theme: isDark() ? "night" : "stripe" },
  });
  elements.create("payment", { layout: "tabs" }).mount(form.querySelector("[data-element]"));
  onSubmit(form, () =>
    stripe.confirmSetup({
      elements,
      redirect: "if_required",
      confirmParams: { return_url: new URL(form.dataset.back, location.href).href },
    }),
  );
}

for (const form of document.querySelectorAll("[data-stripe-confirm]")) {
  const stripe = open(form);
  if (!stripe) continue;
  const { secret, card, waits } = form.dataset;
  onSubmit(form, () =>
    waits
      ? stripe.handleNextAction({ clientSecret: secret })
      : stripe.confirmCardPayment(secret, { payment_method: card }),
  );
}
