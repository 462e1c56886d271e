"""Certificates for tests, made by openssl: authorities, and leaves that are good, expired or of somebody else."""
import pathlib
import ssl
import subprocess


class Authority:
    def __init__(self, folder, name):
        self.folder, self.name = pathlib.Path(folder), name
        self.certificate, self._key = self.folder / f"{name}.pem", self.folder / f"{name}-ca.key"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                      "-keyout", self._key, "-out", self.certificate)

    def _openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    def issue(self, name, days=10):
        """Paths of certificate and key. Negative days: it has ended."""
        certificate, key, request = (self.folder / f"{self.name}-{name}.{end}" for end in ("pem", "key", "csr"))
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-addext",
                      f"subjectAltName=DNS:{name}.example,DNS:localhost", "-keyout", key, "-out", request)
        extensions = self.folder / f"{self.name}-{name}.ext"
        extensions.write_text(f"subjectAltName=DNS:{name}.example,DNS:localhost\n")
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial", "-days", days,
                      "-extfile", extensions, "-out", certificate)
        return certificate, key


def wrapper(authority, leaf=None, most=None):
    """What wraps a client's socket: trusts the authority, shows the leaf."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.certificate)
    if leaf:
        context.load_cert_chain(*leaf)
    if most:
        context.minimum_version = context.maximum_version = most
        context.set_ciphers("ALL:@SECLEVEL=0")
    return lambda sock: context.wrap_socket(sock, server_hostname="localhost")
