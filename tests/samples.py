"""Sample pictures, all made here: codes by zxing-cpp's encoder, cards drawn with Pillow, and files that mean harm."""

import io
import struct
import zlib
from dataclasses import dataclass

import zxingcpp
from PIL import Image, ImageDraw, ImageFont

RED = (227, 6, 19)


@dataclass(frozen=True)
class Sample:
    """A text to write as a symbology, and the text and bytes that reading it must give back."""

    symbology: str
    text: str
    read: str = ""

    @property
    def expected(self) -> str:
        return self.read or self.text

    @property
    def read_as(self) -> str:
        """UPC-A is an EAN-13 with a 0 in front, bar for bar."""
        return "ean_13" if self.symbology == "upc_a" else self.symbology


# UPC numbers are read as the EAN-13 they stand for.
SAMPLES = (
    Sample("ean_13", "4607001234562"),
    Sample("ean_8", "96385074"),
    Sample("upc_a", "036000291452", "0036000291452"),
    Sample("upc_e", "01234565", "0012345000065"),
    Sample("code_128", "Card-0042/7"),
    Sample("code_39", "LOYAL 42-7"),
    Sample("code_93", "LOYAL-42"),
    Sample("codabar", "A40156789B"),
    Sample("itf", "12345678901231"),
    Sample("qr_code", "https://example.org/c/7?n=42"),
    Sample("pdf417", "Card 7789001234123412"),
    Sample("aztec", "Card 7789001234123412"),
    Sample("data_matrix", "Card 7789001234123412"),
    Sample("databar", "0124012345678905"),
    Sample("databar_expanded", "(01)12345678901231(10)ABC", "011234567890123110ABC"),
)

_WRITERS = {
    "ean_13": zxingcpp.BarcodeFormat.EAN13,
    "ean_8": zxingcpp.BarcodeFormat.EAN8,
    "upc_a": zxingcpp.BarcodeFormat.UPCA,
    "upc_e": zxingcpp.BarcodeFormat.UPCE,
    "code_128": zxingcpp.BarcodeFormat.Code128,
    "code_39": zxingcpp.BarcodeFormat.Code39,
    "code_93": zxingcpp.BarcodeFormat.Code93,
    "codabar": zxingcpp.BarcodeFormat.Codabar,
    "itf": zxingcpp.BarcodeFormat.ITF,
    "qr_code": zxingcpp.BarcodeFormat.QRCode,
    "pdf417": zxingcpp.BarcodeFormat.PDF417,
    "aztec": zxingcpp.BarcodeFormat.Aztec,
    "data_matrix": zxingcpp.BarcodeFormat.DataMatrix,
    "databar": zxingcpp.BarcodeFormat.DataBar,
    "databar_expanded": zxingcpp.BarcodeFormat.DataBarExp,
}


def code(symbology: str, content: str | bytes, scale: int = 3, gs1: bool = False) -> Image.Image:
    """A drawn code, `scale` pixels a module, with its quiet zone; bytes are written as they are.

    With `gs1` the content is element strings, identifiers in brackets, and the symbol carries FNC1 first.
    """
    barcode = zxingcpp.create_barcode(content, _WRITERS[symbology], **({"gs1": True} if gs1 else {}))
    drawn = zxingcpp.write_barcode_to_image(barcode, scale=scale)
    height, width = drawn.shape
    return Image.frombuffer("L", (width, height), bytes(drawn), "raw", "L", 0, 1).convert("RGB")


def card(
    symbology: str = "ean_13",
    content: str = "4607001234562",
    colour: tuple[int, int, int] = RED,
    size: tuple[int, int] = (1011, 638),
) -> Image.Image:
    """A card lying on a grey table: a coloured face, a name, and the code on a white label."""
    face = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(face)
    draw.text((60, 50), "Corner Shop", fill="white", font=ImageFont.load_default(64))
    label = code(symbology, content)
    label.thumbnail((size[0] - 80, size[1] - 220))
    face.paste(label, (60, size[1] - label.height - 50))
    table = Image.new("RGB", (size[0] + 240, size[1] + 200), (188, 186, 184))
    table.paste(face, (120, 100))
    return table


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The picture as a file's bytes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A grey PNG of any announced size over any row data; `extra` chunks stand before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", zlib.compress(rows, 9)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def png_bomb(side: int = 20_000) -> bytes:
    """Four hundred megapixels in four hundred kilobytes, every one of them really there."""
    squeeze = zlib.compressobj(9)
    row = bytes(side + 1)
    rows = b"".join(squeeze.compress(row) for _ in range(side)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def png_text_bomb() -> bytes:
    """A tiny picture whose compressed comment swells to 200 megabytes."""
    comment = b"Comment\x00\x00" + zlib.compress(bytes(200_000_000), 9)
    return png(8, 8, bytes(72), png_chunk(b"zTXt", comment))


def jpeg_announcing(width: int, height: int) -> bytes:
    """A small JPEG whose header says it is `width` x `height`."""
    data = bytearray(encoded(Image.new("RGB", (16, 16), "white")))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def gif_with_a_frame_beyond_its_screen(side: int = 20_000) -> bytes:
    """A GIF of 8 x 8 whose only frame claims to be far larger."""
    data = bytearray(encoded(Image.new("P", (8, 8)), "GIF"))
    frame = data.index(b"\x2c", 13 + 3 * 2 ** ((data[10] & 7) + 1) * bool(data[10] & 0x80))
    data[frame + 5 : frame + 9] = struct.pack("<HH", side, side)
    return bytes(data)


def animation(kind: str) -> bytes:
    """Two frames, the first with a code, the second blank."""
    first = code("ean_13", "4607001234562")
    return encoded(first, kind, save_all=True, append_images=[Image.new("RGB", first.size, "white")], duration=100)


def with_exif(image: Image.Image, orientation: int, padding: int = 0, kind: str = "JPEG") -> bytes:
    """The picture with an EXIF orientation, a place and `padding` bytes of camera notes."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "A camera"
    exif[0x9286] = b"n" * padding
    exif.get_ifd(0x8825)[1] = "N"
    return encoded(image, kind, exif=exif.tobytes())
