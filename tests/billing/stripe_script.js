// Plays Stripe's script for the tests: a form in a frame of its own, and the bank's window.
(() => {
  const origin = new URL(document.currentScript.src).origin;

  const frame = (page) => {
    const made = document.createElement("iframe");
    made.src = `${origin}/v3/${page}`;
    made.title = page === "bank.html" ? "The bank" : "Secure card form";
    made.style.border = "0";
    made.style.width = "100%";
    made.style.height = "15rem";
    return made;
  };

  const ask = (to, message) =>
    new Promise((resolve) => {
      const heard = (event) => {
        if (event.source !== to.contentWindow || event.origin !== origin) return;
        removeEventListener("message", heard);
        resolve(event.data);
      };
      addEventListener("message", heard);
      to.contentWindow.postMessage(message, origin);
    });

  // The bank's window lies over the page until its owner has answered.
  const bank = async (secret, card = "") => {
    const over = frame("bank.html");
    Object.assign(over.style, { position: "fixed", inset: "0", height: "100%", zIndex: "99", background: "#fff" });
    document.body.append(over);
    await new Promise((resolve) => over.addEventListener("load", resolve));
    const intent = await ask(over, { secret, card });
    over.remove();
    const failed = intent.last_payment_error ?? intent.last_setup_error;
    if (failed) return { error: { type: "card_error", message: "We are unable to authenticate your payment method." } };
    return intent.object === "setup_intent" ? { setupIntent: intent } : { paymentIntent: intent };
  };

  globalThis.Stripe = (key) => {
    if (!key.startsWith("pk_")) throw new Error("Please call Stripe() with your publishable key.");
    return {
      elements({ clientSecret }) {
        const elements = { clientSecret };
        elements.create = (kind) => {
          if (kind !== "payment") throw new Error(kind);
          elements.frame = frame("element.html");
          return { mount: (target) => target.append(elements.frame) };
        };
        return elements;
      },
      async confirmSetup({ elements, redirect, confirmParams }) {
        if (redirect !== "if_required" || !confirmParams.return_url) throw new Error("return_url");
        const intent = await ask(elements.frame, { secret: elements.clientSecret });
        if (intent.invalid) return { error: { type: "validation_error", message: "Your card number is incomplete." } };
        if (intent.last_setup_error) return { error: { type: "card_error", message: "Your card was declined." } };
        return intent.status === "requires_action" ? bank(elements.clientSecret) : { setupIntent: intent };
      },
      handleNextAction: ({ clientSecret }) => bank(clientSecret),
      confirmCardPayment: (secret, { payment_method: card }) => bank(secret, card),
    };
  };
})();
