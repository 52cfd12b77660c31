// A receiver of Offhook's webhooks: Node. npm install standardwebhooks
// Answer with 2xx within 15 seconds and work afterwards. The same webhook-id may come more than once.
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.OFFHOOK_WEBHOOK_SECRET); // whsec_…

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks); // the bytes as they came: never parse before you verify
  try {
    const event = webhook.verify(body, request.headers);
    console.log(request.headers["webhook-id"], event.type, event.data);
    response.writeHead(204).end();
  } catch {
    response.writeHead(400).end("not signed by Offhook");
  }
});

server.listen(Number(process.env.PORT ?? 3000));
