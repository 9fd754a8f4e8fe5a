"""Hosts as network namespaces of one machine, with names and addresses of their own on one switch,
so that a cable can be pulled. They share files and processes. Needs root and `ip` (iproute2)."""

import os
import shutil
import subprocess

NAMES = ("alder", "birch", "cedar")


def why_not():
    """What is missing for it; an empty text: nothing."""
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    if not shutil.which("ip"):
        return "there is no `ip`: scripts/setup --tests installs iproute2"
    probe = subprocess.run(["unshare", "--net", "--uts", "--mount", "true"], capture_output=True, text=True)
    return f"this system gives no namespaces: {probe.stderr.strip()}" if probe.returncode else ""


class Hosts:
    def __init__(self, folder):
        self.folder = folder
        self.spaces = []
        self.switch = self.space("switch")

    def up(self):
        self.make_space(self.switch)
        self.ip("-n", self.switch, "link", "add", "bridge", "type", "bridge")
        self.ip("-n", self.switch, "link", "set", "bridge", "up")
        for number, name in enumerate(NAMES, 1):
            self.plug_in(name, f"10.99.0.{number}")
        table = "".join(f"10.99.0.{number} {name}\n" for number, name in enumerate(NAMES, 1))
        (self.folder / "hosts").write_text("127.0.0.1 localhost\n" + table)
        # As ssh: AGENT HOST WORD..., where the words make a command line for the shell.
        self.remote_shell = self.folder / "remote-shell"
        self.remote_shell.write_text(
            "#!/bin/sh\nhost=$1; shift\n"
            f"exec nsenter --net=/run/netns/{self.space('')}$host unshare --mount --uts sh -c '\n"
            f"  mount --bind {self.folder}/hosts /etc/hosts && hostname \"$0\" && exec sh -c \"$1\"' \"$host\" \"$*\"\n"
        )
        self.remote_shell.chmod(0o755)

    def down(self):
        for space in self.spaces:
            subprocess.run(["ip", "netns", "delete", space], check=True)

    def on(self, host, *command):
        """The command line that runs a command there."""
        return [str(self.remote_shell), host, *map(str, command)]

    def mpirun(self, ranks, *options):
        """Started on the first host, a rank on each of so many."""
        mca = {
            "plm_rsh_agent": self.remote_shell, "plm": "rsh",
            # Names of their own are not enough: their addresses are looked for on all interfaces.
            "btl_tcp_if_include": "10.99.0.0/24", "oob_tcp_if_include": "10.99.0.0/24", "btl": "self,tcp",
        }
        return self.on(NAMES[0], "mpirun", "--host", ",".join(NAMES[:ranks]), "-n", ranks,
                       *(word for name, value in mca.items() for word in ("--mca", name, value)), *options)

    def cut_off(self, host):
        self.ip("-n", self.switch, "link", "set", f"to-{host}", "down")

    def heal(self, host):
        self.ip("-n", self.switch, "link", "set", f"to-{host}", "up")

    # ---- how it is made

    def space(self, name):
        return f"windrow-{os.getpid()}-{name}"

    def ip(self, *arguments):
        made = subprocess.run(["ip", *arguments], capture_output=True, text=True)
        if made.returncode != 0:
            raise AssertionError(f"ip {' '.join(arguments)}: {made.stderr}")

    def make_space(self, space):
        self.ip("netns", "add", space)
        self.spaces.append(space)

    def plug_in(self, name, address):
        space = self.space(name)
        self.make_space(space)
        self.ip("link", "add", "eth0", "netns", space, "type", "veth",
                "peer", "name", f"to-{name}", "netns", self.switch)
        self.ip("-n", self.switch, "link", "set", f"to-{name}", "master", "bridge", "up")
        self.ip("-n", space, "address", "add", f"{address}/24", "dev", "eth0")
        self.ip("-n", space, "link", "set", "eth0", "up")
        self.ip("-n", space, "link", "set", "lo", "up")
