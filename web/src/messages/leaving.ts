/** What the screen of taking everything along and of leaving says: apart, since few open it. */
import type { Language } from '../model';
import { plural } from './plural';

export interface LeavingWords {
  readonly title: string;
  readonly takeTitle: string;
  readonly take: string;
  readonly takeButton: string;
  readonly taking: (size: string) => string;
  readonly taken: (size: string) => string;
  readonly cancel: string;
  readonly broken: string;
  readonly deleteTitle: string;
  readonly goes: (cards: number) => string;
  readonly devices: string;
  readonly shared: string;
  readonly unsent: (changes: number) => string;
  readonly here: string;
  readonly wipe: string;
  readonly keep: string;
  readonly keepMore: string;
  readonly password: string;
  readonly passwordWhy: string;
  readonly passwordMissing: string;
  readonly proofNeeded: string;
  readonly deleteButton: string;
  readonly deleting: string;
  readonly deleted: string;
  readonly unknown: string;
}

const ru: LeavingWords = {
  title: 'Ваши данные',
  takeTitle: 'Забрать всё с собой',
  take: 'Один архив: карты со всеми полями, и те, что в корзине, фото, список устройств и настройки напоминаний. '
    + 'Открывается на любом компьютере.',
  takeButton: 'Скачать архив',
  taking: (size) => `Скачано ${size}`, taken: (size) => `Архив скачан, ${size}`,
  cancel: 'Остановить', broken: 'Связь оборвалась, архив неполный. Попробуйте ещё раз.',
  deleteTitle: 'Удалить аккаунт',
  goes: (n) => n === 0 ? 'Аккаунт исчезнет с сервера сразу и насовсем.'
    : `${n} ${plural('ru', n, { one: 'карта', few: 'карты', many: 'карт', other: 'карты' })}, фото, корзина и сам аккаунт `
      + 'исчезнут с сервера сразу и насовсем: вернуть их не сможем и мы.',
  devices: 'Другие ваши устройства сотрут карты, как только выйдут в сеть.',
  shared: 'Общие карты останутся у остальных.',
  unsent: (n) => `${n} ${plural('ru', n, { one: 'изменение', few: 'изменения', many: 'изменений', other: 'изменения' })} `
    + `ещё не на сервере: в архив выше не ${plural('ru', n, { one: 'попадёт', other: 'попадут' })}.`,
  here: 'Что с картами на этом устройстве',
  wipe: 'Стереть и здесь', keep: 'Оставить здесь, без аккаунта',
  keepMore: 'Они будут только на этом устройстве.',
  password: 'Пароль', passwordWhy: 'Чтобы никто не удалил аккаунт за вас.', passwordMissing: 'Введите пароль.',
  proofNeeded: 'Чтобы никто не удалил аккаунт за вас, выйдите, войдите снова и сразу вернитесь сюда.',
  deleteButton: 'Удалить аккаунт насовсем', deleting: 'Удаляю', deleted: 'Аккаунт удалён',
  unknown: 'Сервер не ответил, и неизвестно, удалён ли аккаунт. Когда сеть появится, Карман это узнает.',
};

const en: LeavingWords = {
  title: 'Your data',
  takeTitle: 'Take everything with you',
  take: 'One archive: the cards with all their fields, those in the bin too, photos, the list of devices and the '
    + 'settings of reminders. Any computer opens it.',
  takeButton: 'Download the archive',
  taking: (size) => `${size} so far`, taken: (size) => `The archive is here, ${size}`,
  cancel: 'Stop', broken: 'The connection broke, the archive is not whole. Try again.',
  deleteTitle: 'Delete the account',
  goes: (n) => n === 0 ? 'The account goes from the server at once and for good.'
    : `${n} ${plural('en', n, { one: 'card', other: 'cards' })}, photos, the bin and the account itself go from the `
      + 'server at once and for good: not even we can bring them back.',
  devices: 'Your other devices erase the cards as soon as they are online.',
  shared: 'Shared cards stay with the others.',
  unsent: (n) => `${n} ${plural('en', n, { one: 'change is', other: 'changes are' })} not on the server yet, and not in `
    + 'the archive above.',
  here: 'The cards on this device',
  wipe: 'Erase them here, too', keep: 'Keep them here, without an account',
  keepMore: 'They will be on this device only.',
  password: 'Password', passwordWhy: 'So that nobody deletes the account for you.', passwordMissing: 'Type the password.',
  proofNeeded: 'So that nobody deletes the account for you: sign out, sign in again and come straight back here.',
  deleteButton: 'Delete the account for good', deleting: 'Deleting', deleted: 'The account is deleted',
  unknown: 'The server did not answer, so the account may be gone or not. Karman will learn it when the network is back.',
};

export const LEAVING: Readonly<Record<Language, LeavingWords>> = { ru, en };
