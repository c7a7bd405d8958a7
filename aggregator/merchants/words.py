"""Words that say little about which shop a name or a card's face means."""

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
programme plus earn save free phone tel www com ru
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


def weight(word: str) -> float:
    """How much of a name or line a `plain` word carries, 1 for one that may be a shop's own."""
    if word in CARD_WORDS:
        return 0.1
    if word in WEAK_WORDS:
        return 0.25
    if word.isdigit():
        return 0.3 if len(word) < 4 else 0.05
    return 1.0
