"""A person's own key: registered with the bureau's attestation, it consents at the grantee's own counter,
and it revokes; a key that nobody registered does nothing."""

import pathlib

import network

PERSON = "999999198001010018"


def new_key(net, name):
    folder = pathlib.Path(net.root)
    passphrase = folder / f"{name}.passphrase"
    passphrase.write_text(f"passphrase of {name}\n")
    key = ["--person-key", str(folder / f"{name}.key"), "--key-passphrase-file", str(passphrase)]
    net.cli("hospital-a-doctor", "consent", "new-key", key[1], *key[2:])
    return key


def read(net, record):
    return net.cli("hospital-b-doctor", "record", "read", record, "--request", fine=(0, 3))


def test(make, options):
    net = make()
    net.start()
    text = pathlib.Path(net.root) / "record.txt"
    text.write_text("出院小结", encoding="utf-8")
    record = net.cli("hospital-a-doctor", "record", "put", "--person", PERSON, text)["record"]
    grantee = net.institution("hospital-b")
    give = ["consent", "give", "--person", PERSON, "--grantee", grantee, "--purpose", "TREAT",
            "--class", "document"]

    stranger, own = new_key(net, "stranger"), new_key(net, "own")
    refused = net.cli("hospital-b-doctor", *give, *stranger, fine=(3,))
    network.check("person_key_not_registered" in refused["message"] + refused["code"],
                  f"a key of nobody: {refused}")
    network.check(read(net, record)["outcome"] == "denied", "read without consent")

    # Hospital A's node is an attestor itself or asks the bureau's; B, the grantee, is neither.
    net.cli("hospital-a-doctor", "consent", "register-key", "--person", PERSON, *own)
    given = net.cli("hospital-b-doctor", *give, *own)
    network.check(given["attestation"] == "person_key", f"attestation: {given}")
    network.check(read(net, record)["outcome"] == "granted", "the person consented himself")

    log = net.cli("bureau-compliance", "consent", "list", "--person", PERSON)
    network.check([c["attestation"] for c in log["consents"]] == ["person_key"], f"listed: {log}")
    refused = net.cli("hospital-b-doctor", "consent", "revoke", given["consent"], *stranger, fine=(3,))
    network.check("person_key" in refused["message"] + refused["code"], f"another's key revoked: {refused}")
    net.cli("hospital-b-doctor", "consent", "revoke", given["consent"], *own)
    network.check(read(net, record)["outcome"] == "denied", "read after the person revoked")
    net.equal_roots()


network.main(test)
