#!/usr/bin/env python3
"""TLS by Python's ssl, with a key file that holds the URI of a token's key.

serve PORT CERTIFICATE KEY      an HTTPS server; each connection is a forked child's
ask PORT AUTHORITY [CERTIFICATE KEY]    one request, with a certificate of its own if given
$TALLYSTICK_PIN is not set: the PIN is the key's password here, $KEY_PASSWORD.
"""
import http.server
import os
import socketserver
import ssl
import sys
import urllib.request


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers everything with one word."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"served")

    def log_message(self, format, *args):
        pass


class Server(socketserver.ForkingMixIn, http.server.HTTPServer):
    """The handshake, and with it the signature, is the child's."""

    context = None

    def finish_request(self, request, client_address):
        with self.context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)


def serve(port, certificate, key):
    Server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    Server.context.load_cert_chain(certificate, key, password=os.environ["KEY_PASSWORD"])
    with Server(("127.0.0.1", int(port)), Answers) as server:
        print("ready", flush=True)
        server.serve_forever()


def ask(port, authority, certificate=None, key=None):
    context = ssl.create_default_context(cafile=authority)
    context.check_hostname = False
    if certificate is not None:
        context.load_cert_chain(certificate, key, password=os.environ["KEY_PASSWORD"])
    with urllib.request.urlopen(f"https://127.0.0.1:{port}/", context=context) as answer:
        print(answer.read().decode(errors="replace"))


{"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
