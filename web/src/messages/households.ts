/** What the screens of households say: apart, since few open them. In people's words a household is a shared pocket. */
import type { Inhabitant, Language } from '../model';
import { plural } from './plural';

export interface HouseholdWords {
  readonly title: string;
  readonly about: string;
  readonly needsAccount: string;
  readonly toAccount: string;
  readonly people: (n: number) => string;
  readonly cards: (n: number) => string;
  readonly makeTitle: string;
  readonly name: string;
  readonly nameHint: string;
  readonly ownName: string;
  readonly ownNameHint: string;
  readonly missing: string;
  readonly make: string;
  readonly working: string;
  readonly gone: string;
  readonly howToShare: string;
  readonly you: string;
  readonly role: Readonly<Record<Inhabitant['role'], string>>;
  readonly roleOf: (name: string) => string;
  readonly handOn: (name: string) => string;
  readonly handOnAsk: (name: string) => string;
  readonly remove: string;
  readonly removeOf: (name: string) => string;
  readonly removeAsk: (name: string) => string;
  readonly removed: (name: string) => string;
  readonly rename: string;
  readonly saved: string;
  readonly inviteTitle: string;
  readonly inviteAs: string;
  readonly invite: string;
  readonly inviteMore: string;
  readonly linkTitle: string;
  readonly linkMore: (day: string) => string;
  readonly qr: string;
  readonly copyLink: string;
  readonly copied: string;
  readonly send: string;
  readonly open: (role: string, day: string) => string;
  readonly withdraw: string;
  readonly withdrawn: string;
  readonly leave: string;
  readonly leaveAsk: (name: string) => string;
  readonly leaveCards: (n: number) => string;
  readonly leaveHeir: (name: string) => string;
  readonly leaveLast: (n: number) => string;
  readonly left: string;
  readonly joinTitle: string;
  readonly invited: (by: string, household: string) => string;
  readonly inside: (members: number, cards: number) => string;
  readonly shared: string;
  readonly may: Readonly<Record<'member' | 'viewer', string>>;
  readonly signFirst: string;
  readonly join: string;
  readonly joined: (name: string) => string;
  readonly noToken: string;
  readonly moveTitle: string;
  readonly onlyMe: string;
  readonly onlyMeMore: string;
  readonly here: string;
  readonly seenBy: (names: string) => string;
  readonly moved: (name: string) => string;
  readonly copyTitle: string;
  readonly copyMore: (name: string) => string;
  readonly copyDone: string;
  readonly nowhere: string;
}

const ruPeople = (n: number) => `${n} ${plural('ru', n, { one: 'человек', few: 'человека', many: 'человек', other: 'человека' })}`;
const ruCards = (n: number) => `${n} ${plural('ru', n, { one: 'карта', few: 'карты', many: 'карт', other: 'карты' })}`;

const ru: HouseholdWords = {
  title: 'Общие карманы',
  about: 'Карты из общего кармана видят и показывают на кассе все, кого вы позвали. Остальные ваши карты видите только вы.',
  needsAccount: 'Чтобы держать карты вместе с кем-то, нужен аккаунт.', toAccount: 'Войти или завести аккаунт',
  people: ruPeople, cards: ruCards,
  makeTitle: 'Новый общий карман', name: 'Название', nameHint: 'Например, «Семья» или «Дача»',
  ownName: 'Как вас зовут', ownNameHint: 'Под этим именем вас увидят остальные', missing: 'Впишите хотя бы одну букву.',
  make: 'Завести', working: 'Минуту', gone: 'Такого общего кармана у вас нет',
  howToShare: 'Карт здесь пока нет. Откройте карту и выберите в её меню «Кто видит карту».',
  you: 'вы', role: { owner: 'хозяин', member: 'может менять карты', viewer: 'только смотрит' },
  roleOf: (name) => `Что может ${name}`, handOn: (name) => `Сделать хозяином: ${name}`,
  handOnAsk: (name) => `${name} станет хозяином: сможет звать и убирать людей. Вы останетесь и сможете менять карты.`,
  remove: 'Убрать', removeOf: (name) => `Убрать: ${name}`,
  removeAsk: (name) => `${name} больше не увидит эти карты. Карты, которые принёс этот человек, останутся здесь, а копии уйдут с ним.`,
  removed: (name) => `${name} больше не в этом кармане`, rename: 'Переименовать', saved: 'Сохранено',
  inviteTitle: 'Позвать ещё кого-то', inviteAs: 'Что человек сможет', invite: 'Сделать приглашение',
  inviteMore: 'Ссылка впускает одного человека и действует 7 дней.',
  linkTitle: 'Приглашение', linkMore: (day) => `Покажите код или пошлите ссылку. Она впустит одного человека и действует до ${day}. Больше её не показать.`,
  qr: 'QR-код приглашения', copyLink: 'Скопировать ссылку', copied: 'Ссылка скопирована', send: 'Послать',
  open: (role, day) => `Приглашение: ${role}, до ${day}`, withdraw: 'Отозвать', withdrawn: 'Приглашение отозвано',
  leave: 'Выйти из кармана', leaveAsk: (name) => `Выйти из кармана «${name}»?`,
  leaveCards: (n) => n ? `Вы принесли сюда ${n} ${plural('ru', n, { one: 'карту', few: 'карты', many: 'карт', other: 'карты' })}. ${n === 1 ? 'Она останется здесь, а у вас будет копия' : 'Они останутся здесь, а у вас будут копии'}.` : 'Здешние карты с ваших устройств пропадут. Своих вы сюда не приносили.',
  leaveHeir: (name) => `Хозяином станет ${name}.`,
  leaveLast: (n) => n ? `Кроме вас, здесь никого нет. ${n === 1 ? 'Карта вернётся' : 'Все карты вернутся'} к вам, а карман исчезнет.` : 'Кроме вас, здесь никого нет. Карман исчезнет.',
  left: 'Вы вышли из общего кармана',
  joinTitle: 'Приглашение', invited: (by, household) => `${by} зовёт вас в общий карман «${household}»`,
  inside: (members, cards) => `Там ${ruPeople(members)} и ${cards ? ruCards(cards) : 'пока ни одной карты'}.`,
  shared: 'Все в этом кармане видят его карты целиком: номера, коды, ПИН, заметки и фото. Ваши собственные карты никто не увидит, пока вы сами не положите их сюда. Выйти можно когда угодно.',
  may: { member: 'Вы сможете показывать карты, менять их и класть сюда свои.', viewer: 'Вы сможете смотреть карты и показывать их на кассе.' },
  signFirst: 'Сначала войдите или заведите аккаунт. Приглашение подождёт на этой странице.',
  join: 'Войти в карман', joined: (name) => `Вы в кармане «${name}»`,
  noToken: 'В ссылке не хватает приглашения. Откройте её целиком, как прислали.',
  moveTitle: 'Где держать карту', onlyMe: 'Только у меня', onlyMeMore: 'Карту видите только вы', here: 'сейчас здесь',
  seenBy: (names) => `Увидят: ${names}`, moved: (name) => `Карта теперь здесь: ${name}`,
  copyTitle: 'Взять копию себе', copyMore: (name) => `Эту карту принёс другой человек: ${name}. Она останется здесь.`,
  copyDone: 'Копия среди ваших карт', nowhere: 'Общих карманов пока нет.',
};

const enPeople = (n: number) => `${n} ${plural('en', n, { one: 'person', other: 'people' })}`;
const enCards = (n: number) => `${n} ${plural('en', n, { one: 'card', other: 'cards' })}`;

const en: HouseholdWords = {
  title: 'Shared pockets',
  about: 'Everybody you invite sees the cards in a shared pocket and can show them at the till. Your other cards stay yours alone.',
  needsAccount: 'To keep cards together with somebody you need an account.', toAccount: 'Sign in or make an account',
  people: enPeople, cards: enCards,
  makeTitle: 'New shared pocket', name: 'Name', nameHint: 'For example “Family” or “Flat”',
  ownName: 'Your name', ownNameHint: 'The others see you under this name', missing: 'Type at least one letter.',
  make: 'Make it', working: 'One moment', gone: 'You have no such shared pocket',
  howToShare: 'No cards here yet. Open a card and choose “Who sees the card” in its menu.',
  you: 'you', role: { owner: 'owner', member: 'may change cards', viewer: 'may only look' },
  roleOf: (name) => `What ${name} may do`, handOn: (name) => `Make the owner: ${name}`,
  handOnAsk: (name) => `${name} becomes the owner and may invite and remove people. You stay and may change cards.`,
  remove: 'Remove', removeOf: (name) => `Remove ${name}`,
  removeAsk: (name) => `${name} will not see these cards any more. What they brought stays here, and they get copies of it.`,
  removed: (name) => `${name} is no longer in this pocket`, rename: 'Rename', saved: 'Saved',
  inviteTitle: 'Invite somebody', inviteAs: 'What they may do', invite: 'Make an invitation',
  inviteMore: 'The link lets one person in and works for 7 days.',
  linkTitle: 'Invitation', linkMore: (day) => `Show the code or send the link. It lets one person in and works until ${day}. It will not be shown again.`,
  qr: 'QR code of the invitation', copyLink: 'Copy the link', copied: 'Link copied', send: 'Send',
  open: (role, day) => `Invitation: ${role}, until ${day}`, withdraw: 'Withdraw', withdrawn: 'Invitation withdrawn',
  leave: 'Leave the pocket', leaveAsk: (name) => `Leave “${name}”?`,
  leaveCards: (n) => n ? `You brought ${enCards(n)} here. ${plural('en', n, { one: 'It stays, and you get a copy', other: 'They stay, and you get copies' })}.` : 'The cards here go from your devices. You brought none of them.',
  leaveHeir: (name) => `${name} becomes the owner.`,
  leaveLast: (n) => n ? `Nobody else is here. ${plural('en', n, { one: 'The card comes', other: 'All cards come' })} back to you, and the pocket is gone.` : 'Nobody else is here. The pocket is gone then.',
  left: 'You have left the shared pocket',
  joinTitle: 'Invitation', invited: (by, household) => `${by} invites you to the shared pocket “${household}”`,
  inside: (members, cards) => `In it: ${enPeople(members)} and ${cards ? enCards(cards) : 'no card yet'}.`,
  shared: 'Everybody in this pocket sees its cards whole: numbers, codes, PINs, notes and photos. Nobody sees your own cards until you put them here yourself. You may leave at any time.',
  may: { member: 'You will be able to show the cards, change them and put in your own.', viewer: 'You will be able to look at the cards and show them at the till.' },
  signFirst: 'First sign in or make an account. The invitation waits on this page.',
  join: 'Join the pocket', joined: (name) => `You are in “${name}”`,
  noToken: 'The link lacks its invitation. Open it whole, as it was sent to you.',
  moveTitle: 'Where to keep the card', onlyMe: 'Only with me', onlyMeMore: 'Only you see the card', here: 'it is here now',
  seenBy: (names) => `Will be seen by ${names}`, moved: (name) => `The card is here now: ${name}`,
  copyTitle: 'Take a copy for yourself', copyMore: (name) => `${name} brought this card. It stays here.`,
  copyDone: 'The copy is among your cards', nowhere: 'There are no shared pockets yet.',
};

export const HOUSEHOLDS: Readonly<Record<Language, HouseholdWords>> = { ru, en };
