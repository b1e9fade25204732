"""The certificate authority of the home's internet, and certificates for tests."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


class Authority:
    """An ECDSA root that signs leaves; files are written where they are asked for."""

    def __init__(self, folder: Path, name: str = "A test internet's root") -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.utcnow()
        certificate = (
            self._builder(self._name, self._key, now - DAY, now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(sign=True), critical=True)
            .sign(self._key, hashes.SHA256()))
        self.root = folder / "root.pem"
        self.root.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def leaf(self, *names: str, not_before: datetime.timedelta = -DAY / 24,
             not_after: datetime.timedelta = 20 * DAY, file: str | None = None,
             responder: str | None = None, must_staple: bool = False) -> tuple[Path, Path]:
        """A certificate for `names`, or addresses, its dates relative to now. Returns chain and key files.
        One that names a responder comes with its issuer."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.utcnow()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        builder = (
            self._builder(subject, key, now + not_before, now + not_after)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign=False), critical=True)
            .add_extension(x509.SubjectAlternativeName([_san(name) for name in names]),
                           critical=False))
        if responder:
            builder = builder.add_extension(x509.AuthorityInformationAccess(
                [x509.AccessDescription(x509.oid.AuthorityInformationAccessOID.OCSP,
                                        x509.UniformResourceIdentifier(responder))]),
                critical=False)
        if must_staple:
            builder = builder.add_extension(
                x509.TLSFeature([x509.TLSFeatureType.status_request]), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        stem = file or names[0]
        chain_file, key_file = self._folder / f"{stem}.pem", self._folder / f"{stem}.key"
        chain_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM)
                               + (self.root.read_bytes() if responder else b""))
        key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM,
                                               serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        key_file.chmod(0o600)
        return chain_file, key_file

    def responder(self, leaf: Path, port: int) -> list[str]:
        """The `openssl ocsp` that says for a minute at a time that `leaf` is good."""
        serial = x509.load_pem_x509_certificate(leaf.read_bytes()).serial_number
        index, key = self._folder / "index.txt", self._folder / "root.key"
        index.write_text(f"V\t490101000000Z\t\t{serial:X}\tunknown\t/CN=leaf\n")
        key.write_bytes(self._key.private_bytes(serialization.Encoding.PEM,
                                                serialization.PrivateFormat.PKCS8,
                                                serialization.NoEncryption()))
        return ["openssl", "ocsp", "-port", str(port), "-index", str(index), "-CA", str(self.root),
                "-rsigner", str(self.root), "-rkey", str(key), "-nmin", "1"]

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey,
                 not_before: datetime.datetime, not_after: datetime.datetime
                 ) -> x509.CertificateBuilder:
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(self._name)
                .public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(not_before).not_valid_after(not_after))


def _san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(digital_signature=not sign, key_cert_sign=sign, crl_sign=sign,
                         content_commitment=False, key_encipherment=False,
                         data_encipherment=False, key_agreement=False, encipher_only=False,
                         decipher_only=False)
