"""Words that say little about which shop a name or a card's face means."""

from collections.abc import Sequence

from aggregator.merchants.normal import latin

# On loyalty cards of any shop, in the languages cards are printed in.
_CARD_WORDS = """
карта карты картой бонусная бонусный бонус бонусы бонусов дисконтная дисконтный дисконт скидка скидки скидок
скидочная накопительная клубная клуб клиента клиент клиентская покупателя покупатель постоянного постоянный
подарочная подарок сертификат лояльности лояльность программа привилегия привилегий золотая серебряная платиновая
вип участника участник владелец владельца держатель номер копите копи баллы баллов балл действительна
действителен действует до от срок годен спасибо сеть сети магазинов магазин магазины гипермаркет супермаркет
ваша ваш телефон горячая линия сайт тел рублей руб на за по при картка знижка знижки клієнта накопичувальна
бонусна постійного
клуба членам члена карту картой предъявите предъявляйте кассиру оплате оплаты покупке покупки магазине магазинах
правила условия подробности подробнее сайте приложении приложение скачайте
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
# What a card's back asks to be written in.
_FORM_WORDS = """
фамилия имя отчество фио дата рождения подпись адрес паспорт город улица дом квартира индекс пол email mail
name surname signature date birth address city street phone
"""

# Said of many shops: a name is not met by one of them alone.
_COMMON_WORDS = """
дом цветы спорт мода книги книга обувь одежда мебель детский мир семья друзья центр город торговый продукты еда кофе
пицца суши бар авто сервис красота здоровье салон студия техника электроника косметика парфюмерия золото серебро
sport sports fashion home flowers books shoes clothes food kids baby beauty health style world city center centre
house garden auto pizza sushi bar best super mini maxi euro
"""

# Given names: who holds a card is printed on many, and there are shops of most names.
_GIVEN_NAMES = """
александр александра алексей алена алина алиса алла анастасия анатолий ангелина андрей анна антон арина артем артур
богдан борис вадим валентин валентина валерий валерия варвара василий вера вероника виктор виктория виталий владимир
владислав всеволод вячеслав галина геннадий георгий глеб григорий дарья денис диана дмитрий евгений евгения егор
екатерина елена елизавета жанна захар зинаида зоя иван игорь илья инна ирина карина кирилл константин кристина ксения
лариса лев леонид лидия лилия любовь людмила майя макар максим маргарита марина мария марк марьяна матвей михаил
надежда назар наталия наталья никита николай нина оксана олег олеся ольга павел петр полина раиса регина роман руслан
савелий светлана семен сергей снежана софия софья станислав степан таисия тамара татьяна тимофей тимур ульяна федор
филипп эдуард элина эльвира эмма юлия юрий яна ярослав ярослава
adam alan albert alexander alice amanda andrea andrew angela anna anne anthony antonio barbara brian carl carlos carol
caroline catherine charles charlotte christian christina christine christopher claire claudia daniel david deborah
dennis diana dominic donald donna dorothy douglas edward elena elizabeth emily emma eric eva francesca francesco frank
gary george giovanni grace hannah hans heather helen henry isabella jack jacob james jane jason jean jeffrey jennifer
jessica joan john jonathan jose joseph joshua juan julia julie karen katherine kathleen kevin kimberly laura lauren
linda lisa louise lucas luis manuel margaret maria marie mark martha martin mary matthew melissa michael michelle
monica nancy natalie nicholas nicole oliver olivia pamela patricia patrick paul paula peter philip rachel rebecca
richard robert roger ruth ryan samuel sandra sara sarah scott sharon simon sofia sophia stephanie stephen steven susan
teresa theresa thomas timothy victoria vincent virginia walter william
"""
FORM_WORDS = frozenset(_FORM_WORDS.split())
COMMON_WORDS = frozenset(_COMMON_WORDS.split())
GIVEN_NAMES = frozenset(latin(name) for name in _GIVEN_NAMES.split())
CARD_WORDS = frozenset(_CARD_WORDS.split())
WEAK_WORDS = frozenset(_WEAK_WORDS.split())


TELLING_WEIGHT = 0.2


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


def is_doubtful(words: str, is_in_full: bool) -> bool:
    """Whether `plain` words that met a name are more likely something else: a form to fill in, somebody's name, or a
    word that many shops have. `is_in_full`: nothing of the shop's name went unmet.
    """
    tokens = words.split()
    if any(latin(word) in GIVEN_NAMES for word in tokens):
        return len(tokens) < 2 or not is_in_full
    told = [word for word, value in zip(tokens, weights(tokens), strict=True) if value > TELLING_WEIGHT]
    if all(word in FORM_WORDS for word in told):
        return True
    return not is_in_full and all(word in COMMON_WORDS or word in FORM_WORDS for word in told)


def says_something(words: str) -> bool:
    """Whether any of the `plain` words is more than what stands on every card."""
    return any(value > TELLING_WEIGHT for value in weights(words.split()))
