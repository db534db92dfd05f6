"""XMP packets: what they say of parts of a file that cleaning does not keep.

A motion photo's film and the gain map of Ultra HDR lie behind the picture. Where these are gone,
programs that still find them announced look for them in vain. Names: Android's Motion Photo format
1.0 and its forerunner, Micro Video; Ultra HDR image format 1.1.
"""

from __future__ import annotations

import re

__all__ = ["without_promises"]

_PROMISES = {
    b"http://ns.google.com/photos/1.0/camera/": re.compile(rb"(MotionPhoto|MicroVideo)[\w.-]*"),
    b"http://ns.google.com/photos/1.0/container/": re.compile(b"Directory"),
    b"http://ns.adobe.com/hdr-gain-map/1.0/": re.compile(b"Version"),
}
_SPACE = re.compile(rb"""xmlns:([\w.-]++)\s*+=\s*+["']([^"'<]*+)["']""")
_TAG = re.compile(rb"""<(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>""")
_ELEMENT = re.compile(rb"<(/?)([\w.-]++):([\w.-]++)")
_ATTRIBUTE = re.compile(rb"""(?<!\s)\s++([\w.-]++):([\w.-]++)\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+')""")


def without_promises(packet: bytes) -> bytes:
    """The packet less the properties that announce a film or a gain map; all else byte for byte.

    They are attributes or elements, by whatever prefix their namespace has. A packet in which one
    of them does not end comes back as it is.
    """
    spaces = {p: _PROMISES[uri] for p, uri in _SPACE.findall(packet) if uri in _PROMISES}

    def promises(prefix: bytes, name: bytes) -> bool:
        return prefix in spaces and spaces[prefix].fullmatch(name) is not None

    kept, place, inside = [], 0, b""
    for tag in _TAG.finditer(packet) if spaces else ():
        element = _ELEMENT.match(tag[0])
        name = element[0].replace(b"/", b"") if element else b""
        if inside:
            if element and element[1] and name == inside:
                place, inside = tag.end(), b""
            continue
        kept.append(packet[place : tag.start()])
        place = tag.end()
        if not element or not promises(element[2], element[3]):
            kept.append(_ATTRIBUTE.sub(lambda m: b"" if promises(m[1], m[2]) else m[0], tag[0]))
        elif not tag[0].endswith(b"/>"):
            inside = name
    return packet if inside else b"".join(kept) + packet[place:]
