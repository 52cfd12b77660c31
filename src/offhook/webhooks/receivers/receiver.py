"""A receiver of Offhook's webhooks: FastAPI. pip install fastapi standardwebhooks uvicorn

Answer with 2xx within 15 seconds and work afterwards. The same webhook-id may come more than once.
"""

import os
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from standardwebhooks import Webhook, WebhookVerificationError

app = FastAPI()
webhook = Webhook(os.environ["OFFHOOK_WEBHOOK_SECRET"])  # whsec_…


@app.post("/hooks", status_code=204)
async def receive(request: Request) -> None:
    body = await request.body()  # the bytes as they came: never parse before you verify
    try:
        event: dict[str, Any] = webhook.verify(body, dict(request.headers))
    except WebhookVerificationError as error:
        raise HTTPException(400, "not signed by Offhook") from error
    print(request.headers["webhook-id"], event["type"], event["data"])
