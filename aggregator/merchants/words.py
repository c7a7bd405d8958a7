"""Words that say little about which shop a name or a card's face means."""

from collections.abc import Sequence

# On loyalty cards of any shop, in the languages cards are printed in.
_CARD_WORDS = """
карта карты картой бонусная бонусный бонус бонусы бонусов дисконтная дисконтный дисконт скидка скидки скидок
скидочная накопительная клубная клуб клиента клиент клиентская покупателя покупатель постоянного постоянный
подарочная подарок сертификат лояльности лояльность программа привилегия привилегий золотая серебряная платиновая
вип участника участник владелец владельца держатель номер копите копи баллы баллов балл действительна
действителен действует до от срок годен спасибо сеть сети магазинов магазин магазины гипермаркет супермаркет
ваша ваш телефон горячая линия сайт тел рублей руб на за по при картка знижка знижки клієнта накопичувальна
бонусна постійного
card cards bonus bonuses discount loyalty club member members membership customer client reward rewards points
point gift vip gold silver platinum premium family no number valid thru until from since thank you your program
programme earn save more free phone tel www com ru
carte fidelite fidélité cliente client tarjeta puntos carta fedelta fedeltà punti socio karte kundenkarte
bonuskarte vorteilskarte treuekarte punkte mitglied karta stalego klienta klub stałego program lojalnościowy
"""

# Legal forms, kinds of shop and the little words between names.
_WEAK_WORDS = """
the of and de la le les du des el los las y et di da das der die und by a an s i и в на у
ltd limited inc incorporated corp corporation co company llc plc gmbh ag kg se sa spa srl bv nv ab as oy group
holding holdings international retail ооо ао пао зао оао ип тов тоо
shop shops store stores market markets магазин магазины shoes cafe café кафе coffee restaurant restaurants ресторан
аптека аптеки pharmacy pharmacies apotheke hotel hotels resort resorts отель motel motor motors station service
services supermarket supermarkets супермаркет маркет
"""
CARD_WORDS = frozenset(_CARD_WORDS.split())
WEAK_WORDS = frozenset(_WEAK_WORDS.split())


def weights(words: Sequence[str]) -> list[float]:
    """How much of a name or line each `plain` word carries, 1 for one that may be a shop's own.

    Short numbers may be a shop's ("36,6"), long ones and those in a row are a card's, a date or a telephone.
    """
    numbers = [word for word in words if word.isdigit()]
    number = 0.3 if len(numbers) < 3 and all(len(word) < 4 for word in numbers) else 0.05
    return [number if word.isdigit() else weight(word) for word in words]


def weight(word: str) -> float:
    if word in CARD_WORDS:
        return 0.1
    return 0.25 if word in WEAK_WORDS else 1.0


def says_something(words: str) -> bool:
    """Whether any of the `plain` words is more than what stands on every card."""
    return any(value > 0.2 for value in weights(words.split()))
