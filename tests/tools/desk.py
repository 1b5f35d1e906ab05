"""A chip maker's and an OEM's desk for tests: tokens, keys, a family, made by the command alone."""

import json
import os
import secrets
import subprocess

PIN, SO_PIN = "12345678", "87654321"

SOFTWARE = """\
name = "standard"
version = 1
roles = ["provisioning", "part"]
[permit]
make-shares = true
give-blobs = [1, 2]
take-blobs = [1, 2]
seal = ["gcm", "ccm"]
open = ["gcm", "ccm"]
further-types = true
generate = "all"
install = true
prove = true
life-cycle = ["blank to provisioning", "provisioning to provisioned"]
"""

# A package of what stands in firmware.bin and asset.key.
FIRMWARE_AND_KEY = """\
package_version = 1
[[asset]]
id = 1
slot = 0
name = "firmware"
kind = "firmware"
address = 0x80000000
file = "firmware.bin"
[[asset]]
id = 2
slot = 1
name = "key"
kind = "key"
file = "asset.key"
uses = ["decrypt"]
"""


class Desk:
    """Works in `folder` with the command's program; PINs come from the environment."""

    icm_key = "pkcs11:token=icm;object=icm-key"
    oem_key = "pkcs11:token=oem;object=oem-key"

    def __init__(self, command, folder):
        self.command = command
        self.folder = folder
        self.family = None
        self.environment = dict(
            os.environ, TALLYSTICK_HOME=self.path("home"), TALLYSTICK_PIN=PIN,
            TALLYSTICK_SO_PIN=SO_PIN,
        )
        os.makedirs(self.path("home"), exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        """Gives the path."""
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def run(self, *arguments, **more):
        """Without a terminal; the output is kept as text."""
        settings = {
            "env": self.environment, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE, "text": True, "start_new_session": True, "check": False,
        }
        settings.update(more)
        return subprocess.run([self.command, *arguments], **settings)

    def does(self, *arguments):
        """What the command says; it has to work."""
        ran = self.run(*arguments)
        if ran.returncode != 0:
            raise AssertionError(f"{' '.join(arguments)}: {ran.returncode} {ran.stderr}")
        return ran.stdout

    def make_family(self, flags=0, software=SOFTWARE):
        """The chip maker's token with a family whose secrets stand in family.json."""
        self.family = {
            "family_id": secrets.token_hex(16),
            "flags": flags,
            "shares": [secrets.token_hex(32) for _ in range(3)],
            "k_oem_share": secrets.token_hex(32),
            "k_oem_master_share": secrets.token_hex(32),
        }
        self.write("family.json", json.dumps(self.family))
        self.does("token", "init", "--label", "icm")
        self.does("icm", "key", "--key", self.icm_key)
        self.does("icm", "family", "import", self.path("family.json"), "--token",
                  "pkcs11:token=icm", "--icm-key", self.icm_key)
        self.write("software.toml", software)
        self.does("icm", "sign-software", self.path("software.toml"), "--family",
                  self.family["family_id"], "--icm-key", self.icm_key, "-o",
                  self.path("standard.tssw"))

    def make_oem(self):
        """The OEM's provisioning token, with the software and a signing key."""
        fingerprint = self.does("icm", "fingerprint", self.icm_key).strip()
        self.does("token", "init", "--label", "oem")
        self.does("icm", "manufacture-token", "--icm-token", "pkcs11:token=icm", "--icm-key",
                  self.icm_key, "--token", "pkcs11:token=oem")
        self.does("oem", "install-software", self.path("standard.tssw"), "--fingerprint",
                  fingerprint, "--token", "pkcs11:token=oem")
        self.does("oem", "key", "--key", self.oem_key)

    def make_shares(self, folder, suite="gcm"):
        self.does("oem", "make-shares", "--token", "pkcs11:token=oem", "--oem-key", self.oem_key,
                  "--rnd-input", "system", "--suite", suite, "-o", self.path(folder))

    def make_parts(self, count, folder):
        """With one MiB of flash each."""
        self.does("icm", "manufacture-parts", str(count), "--icm-token", "pkcs11:token=icm",
                  "--icm-key", self.icm_key, "--dir", self.path(folder), "--software",
                  self.path("standard.tssw"), "--flash-size", "1048576")

    def package_command(self, manifest, shares, output):
        return ("oem", "build-package", self.path(manifest), "--shares",
                self.path(shares + "/shares.json"), "--token", "pkcs11:token=oem", "--oem-key",
                self.oem_key, "-o", self.path(output))
