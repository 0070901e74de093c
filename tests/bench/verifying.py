"""The least that receiving can cost: a view that checks the signature, keeps nothing and answers."""

from flask import Flask, request

from connectors.sources import Webhook
from connectors.stores.shopify import Shopify
from tests.bench.load import CREDENTIALS

app = Flask(__name__)
connector = Shopify(CREDENTIALS)


@app.post("/webhooks/<platform>")
def verify(platform):
    headers = {name.lower(): value for name, value in request.headers.items()}
    connector.verify(Webhook(headers, request.get_data(cache=False)))
    return "verified", 200


@app.get("/healthz")
def healthz():
    return "ok", 200
