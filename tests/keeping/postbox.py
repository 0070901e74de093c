"""A small SMTP server over a real socket: it takes mail, or refuses it as it is told to."""

from __future__ import annotations

import base64
import contextlib
import datetime
import ipaddress
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Postbox:
    """What has come in. `answers` are what it says to commands instead of yes; `signed_in` who has a password."""

    answers: dict[str, str] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    context: ssl.SSLContext | None = None

    def __enter__(self):
        box = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError), contextlib.ExitStack() as open_ones:
                    box.talk(self, open_ones)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def talk(self, peer, open_ones):
        rest, lines, sent = peer.connection, peer.rfile, False

        def say(text):
            rest.sendall(f"{text}\r\n".encode())

        say("220 postbox.example.com")
        while line := lines.readline().decode().strip():
            word = line.split()[0].upper()
            if told := self.answers.get(word):
                say(told)
            elif word == "EHLO":
                say("250-postbox.example.com")
                say("250-AUTH PLAIN" if sent else "250-STARTTLS" if self.context else "250-HELP")
                say("250 SIZE")
            elif word == "STARTTLS":
                say("220 go on")
                rest, sent = self.context.wrap_socket(rest, server_side=True), True
                open_ones.enter_context(rest)
                lines = open_ones.enter_context(rest.makefile("rb"))
            elif word == "AUTH":
                self.signed_in.append(base64.b64decode(line.split()[2]).split(b"\0")[1].decode())
                say("235 welcome")
            elif word == "DATA":
                say("354 go on")
                taken = b"".join(iter(lines.readline, b".\r\n"))
                if not (told := self.answers.get("MAIL TAKEN")):
                    self.mails.append(message_from_bytes(taken, policy=default))
                    self.encrypted.append(sent)
                say(told or "250 taken")
            elif word == "QUIT":
                say("221 bye")
                return
            else:
                say("250 yes")


def certificate(folder):
    """Make a certificate for 127.0.0.1; return the server's context and the file that whoever trusts it names."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "postbox")])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted, own = folder / "trusted.pem", folder / "own.pem"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    own.write_bytes(private + trusted.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    return context, trusted
