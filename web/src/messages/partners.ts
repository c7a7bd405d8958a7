/** What is said of shops that cards are connected to: balances, connecting, offers. Apart: few cards are. */
import type { Language, Policy } from '../model';
import { plural } from './plural';

export interface PartnerWords {
  // The balance
  readonly tier: (name: string) => string;
  readonly updated: (when: string) => string;
  readonly at: (day: string, time: string) => string;
  readonly pending: (amount: string) => string;
  readonly expires: (amount: string, points: number, day: string) => string;
  readonly on: (date: string) => string;
  readonly noBalance: string;
  readonly more: string;
  readonly moreOffers: (n: number) => string;
  readonly canConnect: string;
  readonly connect: string;
  readonly notNow: string;
  readonly alert: string;
  readonly alertMore: string;
  readonly alertFine: string;
  // The card's back
  readonly history: string;
  readonly allHistory: string;
  readonly offers: string;
  readonly aboutShop: string;
  readonly call: string;
  readonly write: string;
  readonly site: string;
  readonly tiers: string;
  readonly yourTier: string;
  readonly outlets: string;
  readonly allOutlets: (n: number) => string;
  readonly nearMe: string;
  readonly allDay: string;
  readonly metres: (n: number) => string;
  readonly kilometres: (n: string) => string;
  readonly shopOffline: string;
  readonly noProgramme: string;
  readonly connectedSince: (day: string) => string;
  readonly byAnother: string;
  readonly disconnect: string;
  readonly disconnectShort: string;
  readonly disconnectAsk: (name: string) => string;
  readonly disconnected: string;
  readonly endsLink: string;
  // Connecting
  readonly connectTitle: string;
  readonly lead: (shop: string) => string;
  readonly learns: string;
  readonly learnsNumber: string;
  readonly learnsLink: string;
  readonly learnsCounts: string;
  readonly learnsNot: string;
  readonly sees: string;
  readonly onlyYou: string;
  readonly everybody: (names: string) => string;
  readonly way: string;
  readonly ways: Readonly<Record<Policy, string>>;
  readonly waysMore: Readonly<Record<Policy, string>>;
  readonly needsAccount: string;
  readonly toAccount: string;
  readonly working: string;
  readonly sent: (shop: string) => string;
  readonly code: string;
  readonly tillCode: string;
  readonly tillCodeMore: string;
  readonly codeEmpty: string;
  readonly sixDigits: string;
  readonly confirm: string;
  readonly nothingCame: string;
  readonly nothingCameMore: string;
  readonly nothingCameTill: string;
  readonly enterTillCode: string;
  readonly sendAgain: string;
  readonly done: string;
  readonly doneMore: string;
  readonly toCard: string;
  readonly problems: Readonly<Record<string, string>>;
  // Offers
  readonly offersTitle: string;
  readonly offersCount: (n: number) => string;
  readonly noOffers: string;
  readonly noOffersMore: string;
  readonly until: (day: string) => string;
  readonly todayUntil: (time: string) => string;
  readonly todayOnly: string;
  readonly details: string;
  readonly why: string;
  readonly whys: Readonly<Record<'all' | 'tier' | 'number', string>>;
  readonly used: string;
  readonly mute: string;
  readonly muted: (shop: string) => string;
  readonly mutedShops: string;
  readonly hear: string;
  // Settings
  readonly connectedTitle: string;
  readonly connectedAbout: string;
  readonly noneConnected: string;
  readonly connectedOffline: string;
  readonly noticesOn: string;
  readonly noticesMore: string;
  readonly movedToo: string;
}

const offersRu = (n: number) => plural('ru', n, { one: 'предложение', few: 'предложения', many: 'предложений', other: 'предложения' });

const ru: PartnerWords = {
  tier: (name) => `Уровень «${name}»`,
  updated: (when) => `обновлено ${when}`,
  at: (day, time) => `${day} в ${time}`,
  pending: (amount) => `Скоро начислят: ${amount}`,
  expires: (amount, points, day) => `${amount} ${plural('ru', points, { one: 'сгорит', other: 'сгорят' })} ${day}`,
  on: (date) => date,
  noBalance: 'Карта подключена. Магазин ещё не прислал баланс.',
  more: 'Баланс и магазин',
  moreOffers: (n) => `и ещё ${n} ${offersRu(n)}`,
  canConnect: 'Баланс этой карты может обновляться сам.', connect: 'Подключить', notNow: 'Не надо',
  alert: 'Кто-то ещё подключил карту с таким же номером.',
  alertMore: 'Если это ваши близкие, всё в порядке. Если нет, попросите магазин перевыпустить карту: старый номер перестанет показывать баланс всем.',
  alertFine: 'Всё в порядке',

  history: 'История баланса', allHistory: 'Вся история', offers: 'Предложения', aboutShop: 'О магазине',
  call: 'Позвонить', write: 'Написать', site: 'Открыть сайт', tiers: 'Уровни', yourTier: 'ваш',
  outlets: 'Где магазин', allOutlets: (n) => `Показать все: ${n}`, nearMe: 'Сначала ближайшие ко мне',
  allDay: 'круглосуточно', metres: (n) => `${n} м`, kilometres: (n) => `${n} км`,
  shopOffline: 'Сведения о магазине откроются, когда появится сеть.',
  noProgramme: 'Магазин этой карты пока не показывает здесь баланс.',
  connectedSince: (day) => `Подключено ${day}`,
  byAnother: 'Карту подключил другой человек из общего кармана: отключить её может только он.',
  disconnect: 'Отключить карту', disconnectShort: 'Отключить',
  disconnectAsk: (name) => `Баланс, история и предложения «${name}» сотрутся со всех устройств, где есть карта. Сама карта останется.`,
  disconnected: 'Карта отключена',
  endsLink: 'Для магазина это будет другая карта: подключение закончится, баланс и история сотрутся. Потом её можно подключить заново.',

  connectTitle: 'Подключить карту',
  lead: (shop) => `Магазин «${shop}» будет сам присылать сюда баланс и предложения по этой карте.`,
  learns: 'Что узнает магазин', learnsNumber: 'Номер этой карты.',
  learnsLink: 'Условный номер подключения. По нему нельзя узнать, кто вы.',
  learnsCounts: 'Сколько человек видели его предложения и пользовались ими, но не кто именно.',
  learnsNot: 'Имени, почты, адреса и других ваших карт магазин не узнает.',
  sees: 'Кто увидит баланс и предложения', onlyYou: 'Только вы.',
  everybody: (names) => `Все, с кем карта общая: ${names}.`,
  way: 'Как подтвердить, что карта ваша',
  ways: { challenge: 'Кодом от магазина', code: 'Кодом с кассы', open: 'Без кода' },
  waysMore: {
    challenge: 'Магазин пришлёт код туда, где вы оставляли ему телефон или почту.',
    code: 'Попросите код на кассе. Он действует десять минут.',
    open: 'Хватит номера карты. История баланса не показывается.',
  },
  needsAccount: 'Баланс присылает сервер, поэтому для него нужен аккаунт.', toAccount: 'Войти или завести аккаунт',
  working: 'Минуту',
  sent: (shop) => `Магазин «${shop}» отправит код туда, где вы оставляли телефон или почту. Куда именно, знает только магазин.`,
  code: 'Код из шести цифр', tillCode: 'Код с кассы', tillCodeMore: 'Назовите на кассе номер карты и попросите код для подключения.',
  codeEmpty: 'Введите код.', sixDigits: 'В коде шесть цифр.', confirm: 'Подтвердить',
  nothingCame: 'Ничего не пришло?',
  nothingCameMore: 'Спросите у магазина, какой телефон или какая почта у него записаны.',
  nothingCameTill: 'Или возьмите код на кассе.',
  enterTillCode: 'Ввести код с кассы', sendAgain: 'Попросить новый код',
  done: 'Карта подключена', doneMore: 'Баланс появится сам, как только магазин его пришлёт.', toCard: 'К карте',
  problems: {
    'wrong-code': 'Код не подходит. Проверьте и введите ещё раз.',
    'attempt-gone': 'Этот код больше не действует: прошло десять минут или было пять неверных попыток. Попросите новый.',
    'too-many-attempts': 'Сегодня попыток было слишком много. Попробуйте завтра.',
    'already-linked': 'Эта карта уже подключена.',
    'no-programme': 'Магазин этой карты больше не подключает карты.',
    'no-number': 'У карты нет номера, который знает магазин. Впишите его в карту.',
    'policy-not-offered': 'Так магазин карты больше не подключает. Начните ещё раз.',
    'not-found': 'Карты ещё нет в аккаунте. Подождите, пока она сохранится, и попробуйте ещё раз.',
    'view-only': 'В этом общем кармане вы только смотрите карты, подключить её может тот, кто их меняет.',
    offline: 'Нет сети. Подключить карту можно будет, когда она появится.',
  },

  offersTitle: 'Предложения', offersCount: (n) => `Предложения магазинов: ${n}`,
  noOffers: 'Предложений сейчас нет',
  noOffersMore: 'Здесь появится то, что магазины предлагают по вашим подключённым картам. Чужой рекламы не будет.',
  until: (day) => `до ${day}`, todayUntil: (time) => `сегодня до ${time}`, todayOnly: 'только сегодня',
  details: 'Условия и почему вы это видите', why: 'Почему вы это видите',
  whys: {
    all: 'Магазин показывает это всем, кто подключил его карту.',
    tier: 'Магазин показывает это картам вашего уровня.',
    number: 'Магазин выбрал несколько карт по номерам, и ваша среди них.',
  },
  used: 'Использовано', mute: 'Скрыть магазин', muted: (shop) => `Предложения «${shop}» скрыты`,
  mutedShops: 'Скрытые магазины', hear: 'Показывать снова',

  connectedTitle: 'Подключённые магазины',
  connectedAbout: 'Эти магазины присылают баланс и предложения. Магазин знает номер карты, номер подключения и сколько всего человек видели его предложения, и больше ничего.',
  noneConnected: 'Пока ни одна карта не подключена. Где это возможно, карта предложит сама.',
  connectedOffline: 'Список откроется, когда появится сеть.',
  noticesOn: 'Присылать уведомления о новых предложениях',
  noticesMore: 'Не чаще раза в день от одного магазина и трёх раз в день от всех, и никогда с 21:00 до 9:00. Скрытые магазины молчат.',
  movedToo: 'Баланс и предложения магазина они тоже увидят.',
};

const offersEn = (n: number) => plural('en', n, { one: 'offer', other: 'offers' });

const en: PartnerWords = {
  tier: (name) => `Tier “${name}”`,
  updated: (when) => `updated ${when}`,
  at: (day, time) => `${day} at ${time}`,
  pending: (amount) => `On their way: ${amount}`,
  expires: (amount, points, day) => `${amount} ${plural('en', points, { one: 'expires', other: 'expire' })} ${day}`,
  on: (date) => `on ${date}`,
  noBalance: 'The card is connected. The shop has not sent a balance yet.',
  more: 'Balance and shop',
  moreOffers: (n) => `and ${n} more ${offersEn(n)}`,
  canConnect: 'This card’s balance can keep itself up to date.', connect: 'Connect', notNow: 'No, thanks',
  alert: 'Somebody else has connected a card with the same number.',
  alertMore: 'If it is your family, all is well. If not, ask the shop for a new card number: the old one then shows its balance to nobody.',
  alertFine: 'All is well',

  history: 'Balance history', allHistory: 'The whole history', offers: 'Offers', aboutShop: 'About the shop',
  call: 'Call', write: 'Write', site: 'Open the site', tiers: 'Tiers', yourTier: 'yours',
  outlets: 'Where the shop is', allOutlets: (n) => `Show all ${n}`, nearMe: 'The nearest to me first',
  allDay: 'day and night', metres: (n) => `${n} m`, kilometres: (n) => `${n} km`,
  shopOffline: 'What there is to know of the shop opens when there is a network.',
  noProgramme: 'This card’s shop does not show balances here yet.',
  connectedSince: (day) => `Connected ${day}`,
  byAnother: 'Somebody else in the shared pocket connected this card: only they can disconnect it.',
  disconnect: 'Disconnect the card', disconnectShort: 'Disconnect',
  disconnectAsk: (name) => `The balance, history and offers of “${name}” go from all devices that have the card. The card itself stays.`,
  disconnected: 'The card is disconnected',
  endsLink: 'For the shop this will be another card: the connection ends, and balance and history go. You can connect it again afterwards.',

  connectTitle: 'Connect the card',
  lead: (shop) => `“${shop}” will send the balance and the offers of this card here by itself.`,
  learns: 'What the shop learns', learnsNumber: 'The number of this card.',
  learnsLink: 'A number that stands for this connection. It does not tell who you are.',
  learnsCounts: 'How many people saw and used its offers, but not who.',
  learnsNot: 'Not your name, e-mail or address, and none of your other cards.',
  sees: 'Who will see the balance and the offers', onlyYou: 'Only you.',
  everybody: (names) => `Everybody you share the card with: ${names}.`,
  way: 'How to show that the card is yours',
  ways: { challenge: 'By a code from the shop', code: 'By a code from the till', open: 'Without a code' },
  waysMore: {
    challenge: 'The shop sends a code to the phone or e-mail you gave it.',
    code: 'Ask for a code at the till. It works for ten minutes.',
    open: 'The number is enough. No history of the balance is shown.',
  },
  needsAccount: 'Balances come from the server, so they need an account.', toAccount: 'Sign in or make an account',
  working: 'One moment',
  sent: (shop) => `“${shop}” sends a code to the phone or e-mail you gave it. Only the shop knows where exactly.`,
  code: 'Six-digit code', tillCode: 'Code from the till', tillCodeMore: 'Tell the card’s number at the till and ask for a code to connect it.',
  codeEmpty: 'Type the code.', sixDigits: 'The code has six digits.', confirm: 'Confirm',
  nothingCame: 'Nothing came?',
  nothingCameMore: 'Ask the shop which phone or e-mail it has for you.',
  nothingCameTill: 'Or take a code at the till.',
  enterTillCode: 'Type a code from the till', sendAgain: 'Ask for a new code',
  done: 'The card is connected', doneMore: 'The balance appears by itself as soon as the shop sends it.', toCard: 'To the card',
  problems: {
    'wrong-code': 'The code does not fit. Check it and type it again.',
    'attempt-gone': 'This code works no more: ten minutes have passed, or it was typed wrong five times. Ask for a new one.',
    'too-many-attempts': 'There were too many attempts today. Try tomorrow.',
    'already-linked': 'This card is connected already.',
    'no-programme': 'This card’s shop connects no cards any more.',
    'no-number': 'The card lacks the number that the shop knows. Add it to the card.',
    'policy-not-offered': 'The shop no longer connects cards this way. Start again.',
    'not-found': 'The card is not in your account yet. Wait until it is saved, and try again.',
    'view-only': 'In this shared pocket you only look at cards. Somebody who may change them can connect it.',
    offline: 'There is no network. The card can be connected when there is one.',
  },

  offersTitle: 'Offers', offersCount: (n) => `Offers of shops: ${n}`,
  noOffers: 'No offers just now',
  noOffersMore: 'What shops offer on your connected cards appears here. Nobody else’s advertising does.',
  until: (day) => `until ${day}`, todayUntil: (time) => `today until ${time}`, todayOnly: 'today only',
  details: 'Terms and why you see this', why: 'Why you see this',
  whys: {
    all: 'The shop shows this to everybody who has connected its card.',
    tier: 'The shop shows this to cards of your tier.',
    number: 'The shop chose some cards by their numbers, and yours is one of them.',
  },
  used: 'Used', mute: 'Hide the shop', muted: (shop) => `Offers of “${shop}” are hidden`,
  mutedShops: 'Hidden shops', hear: 'Show again',

  connectedTitle: 'Connected shops',
  connectedAbout: 'These shops send balances and offers. A shop knows the card’s number, the number of the connection and how many people in all saw its offers, nothing else.',
  noneConnected: 'No card is connected yet. Where it can be, the card itself offers it.',
  connectedOffline: 'The list opens when there is a network.',
  noticesOn: 'Notify me of new offers',
  noticesMore: 'At most once a day from a shop and three times from all, never between 21:00 and 9:00. Hidden shops stay silent.',
  movedToo: 'They will see the balance and the shop’s offers, too.',
};

export const PARTNERS: Readonly<Record<Language, PartnerWords>> = { ru, en };
