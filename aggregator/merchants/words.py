"""Words that say little about which shop a name or a card's face means."""

# On loyalty cards of any shop, in the languages cards are printed in.
CARD_WORDS = frozenset(
    """
    карта карты картой бонусная бонусный бонус бонусы бонусов дисконтная дисконтный дисконт скидка скидки скидок
    скидочная накопительная клубная клуб клиента клиент клиентская покупателя покупатель постоянного постоянный
    подарочная подарок сертификат лояльности лояльность программа привилегия привилегий золотая серебряная платиновая
    вип семейная участника участник владелец владельца держатель номер копите копи баллы баллов балл действительна
    действителен действует до от срок годен спасибо сеть сети магазинов магазин магазины гипермаркет супермаркет
    ваша ваш телефон горячая линия сайт тел рублей руб на за по при
    card cards bonus bonuses discount loyalty club member members membership customer client reward rewards points
    point gift vip gold silver platinum premium family no number valid thru until from since thank you your program
    programme plus earn save free phone tel www com ru
    carte fidelite fidélité cliente client tarjeta puntos carta fedelta fedeltà punti socio karte kundenkarte
    bonuskarte vorteilskarte treuekarte punkte mitglied karta stalego klienta klub stałego program lojalnościowy
    карта картка знижка знижки клієнта накопичувальна бонусна постійного
    """.split()
)  # fmt: skip

# Kinds of company and the little words between names.
WEAK_WORDS = frozenset(
    """
    the of and de la le les du des el los las y et di da das der die und & a an i и в на у
    ltd limited inc incorporated corp corporation co company llc plc gmbh ag kg se sa spa srl bv nv ab as oy group
    holding holdings international retail ооо ао пао зао оао ип тов тоо
    shop shops store stores market markets магазин магазины shoes cafe café кафе restaurant ресторан аптека аптеки
    pharmacy hotel hotels resort resorts отель motors motor station service services
    """.split()
)
