"""What every problem's code means and what to do about it, for its page: statuses, then English, then Russian."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """What has happened, and what to do."""

    what: str
    todo: str


@dataclass(frozen=True, slots=True)
class Page:
    """A code of problem details: the statuses that it comes with, and the words for it by language."""

    statuses: tuple[int, ...]
    en: Words
    ru: Words


def _page(statuses: int | tuple[int, ...], en: tuple[str, str], ru: tuple[str, str]) -> Page:
    return Page((statuses,) if isinstance(statuses, int) else statuses, Words(*en), Words(*ru))


AGAIN = (
    "Send the same again after the seconds in Retry-After.",
    "Повторите тот же запрос через число секунд из Retry-After.",
)

OF_EVERYBODY: dict[str, Page] = {
    "bad-request": _page(
        400,
        ("The request cannot be read.", "Look at how it is built: address, headers and body."),
        ("Запрос не удаётся прочитать.", "Проверьте, как он составлен: адрес, заголовки и тело."),
    ),
    "incomplete": _page(
        400,
        ("The body did not arrive in full.", "Send the same again."),
        ("Тело запроса пришло не полностью.", "Отправьте тот же запрос ещё раз."),
    ),
    "too-slow": _page(
        400,
        ("The body took too long to arrive.", "Send the same again, or less at once."),
        ("Тело запроса приходило слишком долго.", "Отправьте ещё раз или меньшими частями."),
    ),
    "not-json": _page(
        (400, 415),
        (
            "JSON is needed here, and this is none, or is not called so.",
            "Send Content-Type: application/json and an uncompressed JSON body in UTF-8.",
        ),
        (
            "Здесь нужен JSON, а пришло другое или под другим именем.",
            "Отправьте Content-Type: application/json и несжатый JSON в UTF-8.",
        ),
    ),
    "not-found": _page(
        404,
        (
            "There is nothing at this address, or nothing of yours.",
            "Look at the address. What belongs to others answers exactly like what does not exist.",
        ),
        (
            "По этому адресу ничего нет или нет ничего вашего.",
            "Проверьте адрес. Чужое отвечает точно так же, как несуществующее.",
        ),
    ),
    "method-not-allowed": _page(
        405,
        ("The address is right, the method is not.", "The header Allow names the methods there are."),
        ("Адрес верный, а метод нет.", "Возможные методы перечислены в заголовке Allow."),
    ),
    "refused": _page(
        (400, 403, 406),
        ("The request was refused before anything read it.", "The title says why."),
        ("Запрос отклонён до того, как его прочитали.", "Причина названа в title."),
    ),
    "too-large": _page(
        413,
        ("The body is too large.", "Send less at once; the limit stands in the detail."),
        ("Тело запроса слишком велико.", "Отправляйте меньшими частями; предел назван в detail."),
    ),
    "not-a-picture": _page(
        415,
        ("This is not a whole picture of a known kind.", "Send JPEG, PNG, WebP, GIF or HEIC."),
        ("Это не целое изображение известного вида.", "Отправьте JPEG, PNG, WebP, GIF или HEIC."),
    ),
    "invalid": _page(
        422,
        ("Some fields need another value.", "`errors` names each field by a JSON pointer and says what is wrong."),
        (
            "Некоторым полям нужно другое значение.",
            "В `errors` каждое поле названо указателем JSON, и сказано, что не так.",
        ),
    ),
    "too-many-requests": _page(
        429,
        ("This was asked more often than is allowed.", AGAIN[0]),
        ("Запросов больше, чем разрешено.", AGAIN[1]),
    ),
    "failed": _page(
        500,
        ("We made a mistake; it has been noted.", "Send the same again later. Tell us the request_id if it stays so."),
        ("Это наша ошибка, она записана.", "Повторите позже. Если не пройдёт, сообщите нам request_id."),
    ),
    "busy": _page(
        503, ("Too much is being asked for just now.", AGAIN[0]), ("Сейчас слишком много запросов.", AGAIN[1])
    ),
    "store-unavailable": _page(
        503,
        ("The store does not answer. Whether the write was done is unknown.", "Send the same again: that is harmless."),
        ("Хранилище не отвечает. Выполнена ли запись, неизвестно.", "Повторите тот же запрос: это безвредно."),
    ),
    "store-full": _page(
        503,
        ("There is no room left; nothing was kept.", "The operator has to make room. Send the same again then."),
        (
            "Место закончилось, ничего не сохранено.",
            "Место должен освободить владелец сервера. Затем повторите запрос.",
        ),
    ),
    "not-built": _page(
        503,
        ("The web app is not built yet.", "The operator runs `make build`."),
        ("Веб-приложение ещё не собрано.", "Владелец сервера запускает `make build`."),
    ),
    "cross-origin": _page(
        403,
        ("A page of another site tried to write here.", "Call from this site's own pages, or from no browser at all."),
        ("Запись попыталась сделать страница другого сайта.", "Обращайтесь со страниц этого сайта или не из браузера."),
    ),
}

OF_SHOPS: dict[str, Page] = {
    "token-needed": _page(
        401,
        ("The call came without a token.", "Get one at /oauth/token and send it as Authorization: Bearer …"),
        ("Запрос пришёл без токена.", "Получите его на /oauth/token и отправляйте как Authorization: Bearer …"),
    ),
    "token-wrong": _page(
        401,
        (
            "The token is unknown, has expired or was revoked.",
            "Get a new one at /oauth/token; a token lives 15 minutes. If that is refused too, ask the operator.",
        ),
        (
            "Токен неизвестен, истёк или отозван.",
            "Получите новый на /oauth/token; токен живёт 15 минут. Если и там отказ, обратитесь к владельцу сервера.",
        ),
    ),
    "scope-missing": _page(
        403,
        ("The token does not allow this.", "Ask for the scope that WWW-Authenticate names at /oauth/token."),
        ("Токен этого не разрешает.", "Запросите на /oauth/token область доступа, названную в WWW-Authenticate."),
    ),
    "idempotency-key-needed": _page(
        400,
        (
            "This call makes something new each time, so it needs an Idempotency-Key.",
            "Send a string of your own, such as a UUID, and the same one when you repeat the call.",
        ),
        (
            "Каждый такой запрос создаёт новое, поэтому нужен Idempotency-Key.",
            "Отправляйте свою строку, например UUID, и ту же самую при повторе.",
        ),
    ),
    "idempotency-key-malformed": _page(
        400,
        ("The Idempotency-Key cannot be read.", "Send it once: 1 to 255 printable ASCII characters, quoted or bare."),
        ("Idempotency-Key не удаётся прочитать.", "Отправьте его один раз: от 1 до 255 печатных символов ASCII."),
    ),
    "idempotency-key-in-use": _page(
        409,
        ("The same call is still under way.", "Wait a second and send the same again: you will get its answer."),
        ("Тот же запрос ещё выполняется.", "Повторите через секунду: вы получите его ответ."),
    ),
    "idempotency-key-reused": _page(
        422,
        ("This key was used for another call.", "A new call needs a new key; a repeat must be the same to the letter."),
        ("Этот ключ уже был у другого запроса.", "Новому запросу нужен новый ключ; повтор должен совпадать полностью."),
    ),
    "too-many-keys": _page(
        409,
        ("You keep as many public keys as one may.", "Remove one that is used no more."),
        ("Открытых ключей уже столько, сколько можно.", "Удалите тот, которым больше не пользуетесь."),
    ),
    "no-programme": _page(
        409,
        ("There is no programme yet.", "Put it first: it says how card numbers are read."),
        ("Программы ещё нет.", "Сначала отправьте её: она определяет, как читаются номера карт."),
    ),
    "nothing-claimed": _page(
        409,
        ("This shop has claimed no entry of the directory.", "The shop puts /programme/claim first."),
        ("Магазин не назвал себя в справочнике.", "Сначала магазин отправляет /programme/claim."),
    ),
    "slug-taken": _page(
        409,
        ("Another shop has this entry of the directory.", "The operator decides who it belongs to."),
        ("Эта запись справочника у другого магазина.", "Кому она принадлежит, решает владелец сервера."),
    ),
    "sandbox": _page(
        409,
        ("A sandbox shop is shown to nobody.", "Ask the operator for a shop that is no sandbox."),
        ("Тестовый магазин никому не показывают.", "Попросите владельца сервера завести настоящий."),
    ),
    "audience-too-small": _page(
        422,
        ("An offer for so few numbers could be aimed at one person.", "Name at least 20 different numbers."),
        (
            "Предложение для столь немногих номеров может быть нацелено на одного человека.",
            "Назовите не менее 20 номеров.",
        ),
    ),
    "too-many-live": _page(
        409,
        ("You have as many live offers as one may.", "End one first."),
        ("Действующих предложений уже столько, сколько можно.", "Сначала завершите одно из них."),
    ),
    "too-many-offers": _page(
        409,
        ("You keep as many offers as one may.", "Delete some that have ended."),
        ("Предложений уже столько, сколько можно.", "Удалите завершённые."),
    ),
    "too-many-webhooks": _page(
        409,
        ("You have as many webhooks as one may.", "Delete one first."),
        ("Вебхуков уже столько, сколько можно.", "Сначала удалите один."),
    ),
    "too-many-cards": _page(
        409,
        ("The sandbox has as many test cards as it may.", "Delete one first."),
        ("Тестовых карт уже столько, сколько можно.", "Сначала удалите одну."),
    ),
    "cursor-too-old": _page(
        422,
        (
            "Events after this cursor are no longer kept.",
            "Read the links and balances you have anew, then begin the feed without `after`.",
        ),
        (
            "События после этого курсора уже не хранятся.",
            "Прочитайте связи заново и начните ленту без `after`.",
        ),
    ),
}

OF_DEVICES: dict[str, Page] = {
    "sign-in-needed": _page(
        401, ("This is for people who are signed in.", "Sign in."), ("Это для тех, кто вошёл.", "Войдите.")
    ),
    "session-expired": _page(
        401,
        ("The session has ended.", "Sign in again; nothing on the device is lost."),
        ("Сеанс закончился.", "Войдите снова; на устройстве ничего не потеряно."),
    ),
    "device-revoked": _page(
        401,
        ("This device was signed out from another one, or its account was deleted.", "Sign in again if it is yours."),
        ("Это устройство отключили с другого, или аккаунт удалён.", "Войдите снова, если он ваш."),
    ),
    "wrong-credentials": _page(
        401,
        ("The address or the password is wrong.", "Try again, or choose a new password."),
        ("Адрес или пароль неверны.", "Попробуйте ещё раз или задайте новый пароль."),
    ),
    "wrong-code": _page(
        (401, 403),
        ("This is not the code, or it is good no more.", "Look at it again, or ask for a new one."),
        ("Код не тот или уже не действует.", "Проверьте его или запросите новый."),
    ),
    "wrong-password": _page(
        403, ("This is not the password.", "Try again."), ("Пароль не тот.", "Попробуйте ещё раз.")
    ),
    "password-needed": _page(
        403,
        ("This link was asked for in another browser.", "Give the password that was chosen there."),
        ("Эту ссылку запросили в другом браузере.", "Введите пароль, выбранный там."),
    ),
    "passkey-unknown": _page(
        401,
        ("This passkey is of no account here.", "Sign in another way."),
        ("Этот ключ доступа не относится ни к одному аккаунту.", "Войдите другим способом."),
    ),
    "passkey-refused": _page(
        403,
        ("The answer of the passkey does not fit the question.", "Try again."),
        ("Ответ ключа доступа не подходит к вопросу.", "Попробуйте ещё раз."),
    ),
    "passkey-known": _page(
        409,
        ("This passkey is kept already.", "There is nothing to do."),
        ("Этот ключ доступа уже добавлен.", "Ничего делать не нужно."),
    ),
    "too-many-passkeys": _page(
        409,
        ("There are as many passkeys as one may have.", "Remove one first."),
        ("Ключей доступа уже столько, сколько можно.", "Сначала удалите один."),
    ),
    "too-many-identities": _page(
        409,
        ("There are as many sign-ins by others as one may have.", "Remove one first."),
        ("Входов через других уже столько, сколько можно.", "Сначала удалите один."),
    ),
    "identity-taken": _page(
        409,
        ("This sign-in leads into another account.", "Remove it there first."),
        ("Этот вход ведёт в другой аккаунт.", "Сначала удалите его там."),
    ),
    "last-way-in": _page(
        409,
        ("This is the last way into the account.", "Add another one first."),
        ("Это последний способ войти в аккаунт.", "Сначала добавьте другой."),
    ),
    "address-needed": _page(
        409,
        ("A password needs an address to sign in with.", "Add an address first."),
        ("Для пароля нужен адрес, с которым входят.", "Сначала добавьте адрес."),
    ),
    "address-taken": _page(
        409,
        ("There is an account with this address.", "Sign in with it."),
        ("Аккаунт с этим адресом уже есть.", "Войдите в него."),
    ),
    "nothing-to-verify": _page(
        409,
        ("There is no address here that waits to be verified.", "There is nothing to do."),
        ("Здесь нет адреса, который ждёт подтверждения.", "Ничего делать не нужно."),
    ),
    "link-spent": _page(
        403,
        ("This link was used or has expired.", "Ask for a new one."),
        ("Ссылка использована или истекла.", "Запросите новую."),
    ),
    "challenge-spent": _page(
        403,
        ("This took too long, or was answered already.", "Begin again."),
        ("Прошло слишком много времени.", "Начните снова."),
    ),
    "proof-needed": _page(
        403,
        ("This needs a fresh proof of who you are.", "Give the password or the passkey once more."),
        ("Нужно заново подтвердить, что это вы.", "Введите пароль или используйте ключ доступа."),
    ),
    "proof-refused": _page(
        403,
        ("This proves somebody else.", "Prove that you are the person of this account."),
        ("Это подтверждает другого человека.", "Подтвердите, что аккаунт ваш."),
    ),
    "provider-refused": _page(
        403,
        ("The provider did not let this sign-in through.", "Try again, or sign in another way."),
        ("Сервис входа не пропустил.", "Попробуйте ещё раз или войдите иначе."),
    ),
    "provider-unavailable": _page(
        503,
        ("The provider does not answer as it should.", "Try later, or sign in another way."),
        ("Сервис входа не отвечает как надо.", "Попробуйте позже или войдите иначе."),
    ),
    "other-account": _page(
        409,
        ("This browser is signed in to another account.", "Sign in to the account that the data is of."),
        ("В этом браузере открыт другой аккаунт.", "Войдите в тот, чьи это данные."),
    ),
    "view-only": _page(
        403,
        ("You may look at these cards, but not change them.", "Ask the household's owner."),
        ("Эти карты можно смотреть, но не менять.", "Обратитесь к владельцу группы."),
    ),
    "not-yours": _page(
        403,
        ("Somebody else has brought this card here.", "Keep a copy of it."),
        ("Эту карту принёс другой человек.", "Сохраните копию."),
    ),
    "owners-only": _page(
        403,
        ("Only the household's owner may do this.", "Ask them."),
        ("Это может только владелец группы.", "Обратитесь к нему."),
    ),
    "owner-stays": _page(
        409,
        ("The owner cannot be without the household, nor it without them.", "Hand it on to somebody else first."),
        ("Группе нужен владелец.", "Сначала передайте её другому."),
    ),
    "own-space-only": _page(
        409,
        ("Wishes stand in a person's own space.", "Send it for your own space."),
        ("Пожелания хранятся в личном пространстве.", "Отправьте для своего."),
    ),
    "already-in": _page(
        409,
        ("This account is in the household already.", "There is nothing to do."),
        ("Этот аккаунт уже в группе.", "Ничего делать не нужно."),
    ),
    "household-full": _page(
        409,
        ("The household has as many people as it may.", "Its owner can let somebody go."),
        ("В группе уже столько людей, сколько можно.", "Владелец может кого-то исключить."),
    ),
    "too-many-households": _page(
        409,
        ("This account is in as many households as it may.", "Leave one first."),
        ("Групп уже столько, сколько можно.", "Сначала покиньте одну."),
    ),
    "too-many-invitations": _page(
        409,
        ("There are as many open invitations as there may.", "Withdraw one first."),
        ("Открытых приглашений уже столько, сколько можно.", "Сначала отзовите одно."),
    ),
    "invitation-gone": _page(
        404,
        ("The invitation was used, withdrawn or has expired.", "Ask for a new one."),
        ("Приглашение использовано, отозвано или истекло.", "Попросите новое."),
    ),
    "picture-exists": _page(
        409,
        ("Another picture has this id.", "A picture is written once: use another id."),
        ("Под этим номером другая картинка.", "Картинка пишется один раз: возьмите другой номер."),
    ),
    "picture-missing": _page(
        409,
        ("A picture that the card shows has not arrived.", "Upload it, then send the same again."),
        ("Картинка карты ещё не загружена.", "Загрузите её и повторите."),
    ),
    "card-exists": _page(
        409,
        ("There is a card with this id.", "There is nothing to do."),
        ("Карта с этим номером уже есть.", "Ничего делать не нужно."),
    ),
    "card-gone": _page(
        409,
        ("There is no such card here any more.", "Fetch what there is."),
        ("Такой карты здесь больше нет.", "Получите то, что есть."),
    ),
    "card-moved": _page(
        409,
        ("The card was moved to where you are not let in.", "Ask whoever moved it."),
        ("Карту перенесли туда, куда вам нельзя.", "Спросите того, кто перенёс."),
    ),
    "changed-since-restore": _page(
        409,
        ("The card was changed since a restore from backup.", "Look at it and change it anew."),
        ("Карту изменили после восстановления из копии.", "Посмотрите и измените заново."),
    ),
    "space-full": _page(
        409,
        ("There are as many cards as there may.", "Delete some."),
        ("Карт уже столько, сколько можно.", "Удалите лишние."),
    ),
    "gap": _page(
        409,
        ("Mutations before this one are missing.", "Send them first; `expected` says from where."),
        ("Не хватает более ранних изменений.", "Отправьте сначала их; `expected` говорит, с какого."),
    ),
    "client-forked": _page(
        409,
        ("Another body has this id.", "Go on under a new client id."),
        ("Под этим номером другое изменение.", "Продолжайте под новым номером клиента."),
    ),
    "upgrade-needed": _page(
        409,
        ("This server does not know that mutation yet.", "Wait for the server to be brought up to date."),
        ("Сервер ещё не знает такого изменения.", "Подождите обновления сервера."),
    ),
    "too-many-muted": _page(
        409,
        ("As many shops are muted as may be.", "Let some speak again."),
        ("Заглушено уже столько магазинов, сколько можно.", "Включите некоторые."),
    ),
    "reading-failed": _page(
        503,
        ("The photo could not be read just now.", AGAIN[0]),
        ("Фото сейчас не удалось прочитать.", AGAIN[1]),
    ),
    "already-linked": _page(
        409,
        ("You have connected this card.", "There is nothing to do."),
        ("Вы уже подключили эту карту.", "Ничего делать не нужно."),
    ),
    "no-number": _page(
        409,
        ("The card has no number that the shop knows it by.", "Add the number or the code to the card."),
        ("У карты нет номера, по которому её знает магазин.", "Добавьте на карту номер или код."),
    ),
    "policy-not-offered": _page(
        409,
        ("The shop does not link cards this way.", "Choose another way."),
        ("Магазин так карты не подключает.", "Выберите другой способ."),
    ),
    "attempt-gone": _page(
        (404, 409),
        ("This took too long, was tried too often, or was answered already.", "Begin again."),
        ("Прошло слишком много времени или было слишком много попыток.", "Начните снова."),
    ),
    "too-many-attempts": _page(
        429,
        ("There were too many attempts today.", "Try again tomorrow, or ask for a code at the till."),
        ("Сегодня было слишком много попыток.", "Попробуйте завтра или попросите код на кассе."),
    ),
}

PAGES: dict[str, Page] = OF_EVERYBODY | OF_SHOPS | OF_DEVICES
"""Every code that the service answers."""
