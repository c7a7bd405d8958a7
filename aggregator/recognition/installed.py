"""Prints as JSON which reading engines this machine has: a program, since who only asks must not load them."""

import json

from aggregator.recognition import engines, tesseract, text

if __name__ == "__main__":
    print(json.dumps({"zbar": engines.zbar_works(), "print": text.available(), "russian": tesseract.available()}))
