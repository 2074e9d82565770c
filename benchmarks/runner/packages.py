"""Debian's packages: which are there, and how the missing ones come here.

Libraries and ordinary programs are installed by apt-get, as root or through sudo where that needs no password. A package
whose installation would start a service (a database, a cache) is only unpacked into the build folder: the program is all
that is wanted. Where neither may be done, the exact command to type is printed and the rows that need it are left out.
"""

import os
import shutil
import subprocess

from .terminal import say


def installed(package):
    got = subprocess.run(["dpkg-query", "-W", "-f=${db:Status-Status}", package], capture_output=True, text=True)
    return got.returncode == 0 and got.stdout == "installed"


def version(package):
    got = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True)
    return got.stdout if got.returncode == 0 else ""


def files(package):
    got = subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True)
    return got.stdout.splitlines() if got.returncode == 0 else []


def root_prefix():
    """How to become root without a question: [] as root, sudo -n where it works, else None."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def apt(arguments, prefix):
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    return subprocess.run(prefix + ["apt-get", "-q", "-y"] + arguments, env=environment, capture_output=True, text=True)


def install(packages):
    """Installs what is missing of `packages`; returns those that still are."""
    missing = [p for p in packages if not installed(p)]
    if not missing:
        return []
    command = "apt-get install --no-install-recommends " + " ".join(missing)
    prefix = root_prefix()
    if prefix is None or not shutil.which("apt-get"):
        say(f"Not installed, and not ours to install: please type   sudo {command}")
        return missing
    say("Installing from Debian: " + " ".join(missing))
    for again in (False, True):
        if again:
            apt(["update"], prefix)
        if apt(["install", "--no-install-recommends"] + missing, prefix).returncode == 0:
            return []
    for package in missing:  # one that does not exist here must not keep the others away
        apt(["install", "--no-install-recommends", package], prefix)
    still = [p for p in missing if not installed(p)]
    if still:
        say(f"Could not be installed: {' '.join(still)}   (tried: {command})")
    return still


def unpack(package, folder):
    """Unpacks a package without installing it; returns the folder, or None. Needs no root, starts nothing."""
    place = os.path.join(folder, package)
    if os.path.isdir(place):
        return place
    part = place + ".part"
    shutil.rmtree(part, ignore_errors=True)
    os.makedirs(part)
    say(f"Unpacking from Debian, without installing: {package}")
    got = subprocess.run(["apt-get", "-q", "download", package], cwd=part, capture_output=True, text=True)
    debs = [f for f in os.listdir(part) if f.endswith(".deb")]
    if got.returncode != 0 or not debs:
        say(f"Could not be downloaded: {package}   (tried: apt-get download {package}; is apt-get update needed?)")
        return None
    if subprocess.run(["dpkg", "-x", os.path.join(part, debs[0]), part], capture_output=True).returncode != 0:
        say(f"Could not be unpacked: {package}")
        return None
    os.unlink(os.path.join(part, debs[0]))
    os.rename(part, place)
    return place
