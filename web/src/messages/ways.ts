/** What the screens about getting in say: apart, since few open them. */
import type { Language } from '../model';
import { plural } from './plural';

export interface WaysWords {
  readonly title: string;
  readonly lead: string;
  readonly email: { readonly title: string; readonly yes: string; readonly no: string; readonly ask: string; readonly none: string };
  readonly mailed: string;
  readonly mailedMore: (email: string) => string;
  readonly mailedAgain: string;
  readonly password: {
    readonly title: string; readonly about: string; readonly change: string; readonly set: string; readonly remove: string;
    readonly removeAsk: string; readonly old: string; readonly fresh: string; readonly endOthers: string;
    readonly endOthersMore: string; readonly save: string; readonly saved: string; readonly removed: string; readonly none: string;
  };
  readonly passkey: {
    readonly title: string; readonly about: string; readonly add: string; readonly added: string; readonly made: (when: string) => string;
    readonly used: (when: string) => string; readonly rename: string; readonly name: string; readonly save: string;
    readonly remove: string; readonly removeAsk: (name: string) => string; readonly removed: string; readonly signIn: string;
    readonly signInMore: string; readonly cancelled: string; readonly unable: string; readonly twice: string;
  };
  readonly provider: {
    readonly title: string; readonly about: string; readonly link: (name: string) => string; readonly linked: string;
    readonly unlink: string; readonly unlinkAsk: (name: string) => string; readonly signIn: (name: string) => string; readonly coming: string;
    readonly gone: string;
  };
  readonly codes: {
    readonly title: string; readonly about: string; readonly left: (n: number) => string; readonly none: string; readonly make: string;
    readonly renew: string; readonly renewAsk: string; readonly shown: string; readonly copy: string; readonly copied: string;
    readonly done: string; readonly one: string; readonly oneHint: string; readonly signIn: string; readonly empty: string;
  };
  readonly proof: { readonly title: string; readonly more: string; readonly go: string; readonly passkey: string };
  readonly forgot: { readonly link: string; readonly title: string; readonly mail: string; readonly send: string; readonly code: string; readonly other: string };
  readonly reset: { readonly title: string; readonly save: string; readonly done: string };
  readonly confirm: { readonly title: string; readonly working: string; readonly go: string; readonly done: string };
  readonly verify: { readonly done: string; readonly signIn: string };
  readonly again: string;
  readonly onward: string;
  readonly or: string;
}

const ru: WaysWords = {
  title: 'Способы входа',
  lead: 'Чем больше способов, тем труднее остаться без карт. Один остаётся всегда.',
  email: {
    title: 'Почта', yes: 'подтверждена', no: 'не подтверждена: новый пароль по ней не прислать', ask: 'Прислать ссылку для подтверждения',
    none: 'Почты у аккаунта нет.',
  },
  mailed: 'Загляните в почту',
  mailedMore: (email) => `На ${email} идёт письмо со ссылкой. Откройте её здесь же: она сработает один раз и в течение часа.`,
  mailedAgain: 'Письма нет? Посмотрите в спаме, потом попросите ещё раз.',
  password: {
    title: 'Пароль', about: 'Вместе с почтой открывает аккаунт на любом устройстве.', change: 'Сменить пароль', set: 'Придумать пароль', remove: 'Убрать пароль',
    removeAsk: 'Убрать пароль? Входить будете другими способами.', old: 'Нынешний пароль', fresh: 'Новый пароль', endOthers: 'Выйти на других устройствах',
    endOthersMore: 'Карты с них сотрутся, неотправленное тоже. Выберите, если пароль мог узнать кто-то ещё.', save: 'Сохранить пароль', saved: 'Пароль сменён',
    removed: 'Пароля больше нет', none: 'Пароля нет.',
  },
  passkey: {
    title: 'Ключи доступа', about: 'Вход по отпечатку, лицу или ПИН-коду вашего телефона. Нечего запоминать и нечего подсмотреть.', add: 'Добавить ключ на этом устройстве',
    added: 'Ключ добавлен', made: (when) => `добавлен ${when}`, used: (when) => `пускал ${when}`, rename: 'Переименовать', name: 'Название ключа', save: 'Сохранить название',
    remove: 'Убрать', removeAsk: (name) => `Убрать ключ «${name}»? Войти с ним больше не получится.`, removed: 'Ключ убран', signIn: 'Войти с ключом доступа',
    signInMore: 'По отпечатку, лицу или ПИН-коду', cancelled: 'Ключ не выбран. Попробуйте ещё раз или войдите иначе.',
    unable: 'Этот браузер не умеет ключи доступа.', twice: 'На этом устройстве ключ уже есть.',
  },
  provider: {
    title: 'Другие сервисы', about: 'Вход через сервис, где у вас уже есть аккаунт. Карт он не видит.', link: (name) => `Привязать ${name}`, linked: 'Привязано',
    unlink: 'Отвязать', unlinkAsk: (name) => `Отвязать ${name}? Войти через него больше не получится.`, signIn: (name) => `Войти через ${name}`, coming: 'Возвращаемся',
    gone: 'Сервис не пустил или вы передумали.',
  },
  codes: {
    title: 'Коды восстановления', about: 'На случай, если телефон пропал, а пароль забылся. Каждый пускает один раз. Держите их на бумаге, не рядом с телефоном.',
    left: (n) => `${plural('ru', n, { one: 'Остался', other: 'Осталось' })} ${n} ${plural('ru', n, { one: 'код', few: 'кода', many: 'кодов', other: 'кода' })}`,
    none: 'Кодов нет.', make: 'Получить коды', renew: 'Получить новые коды', renewAsk: 'Прежние коды перестанут пускать. Получить новые?',
    shown: 'Перепишите коды: больше они не покажутся.', copy: 'Скопировать', copied: 'Коды скопированы', done: 'Записано', one: 'Код восстановления',
    oneHint: 'Один из десяти. Можно строчными буквами и без чёрточек.', signIn: 'Войти по коду', empty: 'Введите код.',
  },
  proof: { title: 'Это точно вы?', more: 'Способы входа меняет только хозяин аккаунта.', go: 'Подтвердить', passkey: 'Подтвердить ключом доступа' },
  forgot: {
    link: 'Забыли пароль?', title: 'Пароль забыт', mail: 'Пришлём ссылку, по которой придумаете новый. Только если вы подтверждали эту почту.', send: 'Прислать ссылку',
    code: 'Или войдите по коду восстановления, если записывали их.', other: 'Ничего из этого нет? Войдите на устройстве, где карты ещё открыты, и добавьте способ там.',
  },
  reset: { title: 'Новый пароль', save: 'Сохранить и войти', done: 'Пароль сменён, вы вошли' },
  confirm: { title: 'Подтверждение почты', working: 'Открываем аккаунт', go: 'Открыть аккаунт', done: 'Почта подтверждена, вы вошли' },
  verify: { done: 'Почта подтверждена', signIn: 'Сначала войдите в аккаунт, для которого просили ссылку, потом откройте её ещё раз.' },
  again: 'Попросить новую ссылку', onward: 'К картам', or: 'или',
};

const en: WaysWords = {
  title: 'Ways in',
  lead: 'The more ways there are, the harder it is to lose your cards. One always stays.',
  email: {
    title: 'E-mail', yes: 'confirmed', no: 'not confirmed: no new password can be sent to it', ask: 'Send a link to confirm it',
    none: 'The account has no address.',
  },
  mailed: 'Look into your mail',
  mailedMore: (email) => `A mail with a link is on its way to ${email}. Open it in this browser: it works once and for an hour.`,
  mailedAgain: 'No mail? Look into the spam, then ask again.',
  password: {
    title: 'Password', about: 'With the e-mail it opens the account on any device.', change: 'Change the password', set: 'Set a password', remove: 'Remove the password',
    removeAsk: 'Remove the password? You will sign in in other ways.', old: 'Present password', fresh: 'New password', endOthers: 'Sign out on other devices',
    endOthersMore: 'Their cards are erased there, unsent changes too. Choose it if somebody else may know the password.', save: 'Save the password', saved: 'Password changed',
    removed: 'There is no password any more', none: 'There is no password.',
  },
  passkey: {
    title: 'Passkeys', about: 'Sign in with your phone’s fingerprint, face or PIN. Nothing to remember, and nothing anybody could see you type.', add: 'Add a passkey on this device',
    added: 'Passkey added', made: (when) => `added ${when}`, used: (when) => `used ${when}`, rename: 'Rename', name: 'Name of the passkey', save: 'Save the name',
    remove: 'Remove', removeAsk: (name) => `Remove the passkey “${name}”? It will let you in no more.`, removed: 'Passkey removed', signIn: 'Sign in with a passkey',
    signInMore: 'By fingerprint, face or PIN', cancelled: 'No passkey was chosen. Try again, or sign in another way.',
    unable: 'This browser cannot use passkeys.', twice: 'This device has a passkey already.',
  },
  provider: {
    title: 'Other services', about: 'Sign in through a service where you already have an account. It does not see your cards.', link: (name) => `Link ${name}`, linked: 'Linked',
    unlink: 'Unlink', unlinkAsk: (name) => `Unlink ${name}? It will let you in no more.`, signIn: (name) => `Sign in with ${name}`, coming: 'Coming back',
    gone: 'The service did not let you in, or you changed your mind.',
  },
  codes: {
    title: 'Recovery codes', about: 'For when the phone is lost and the password forgotten. Each lets you in once. Keep them on paper, not with the phone.',
    left: (n) => `${n} ${plural('en', n, { one: 'code', other: 'codes' })} left`,
    none: 'There are no codes.', make: 'Get codes', renew: 'Get new codes', renewAsk: 'The present codes will let you in no more. Get new ones?',
    shown: 'Write the codes down: they are not shown again.', copy: 'Copy', copied: 'Codes copied', done: 'Written down', one: 'Recovery code',
    oneHint: 'One of the ten. Lower case will do, and no dashes.', signIn: 'Sign in with the code', empty: 'Enter a code.',
  },
  proof: { title: 'Is it really you?', more: 'Only the account’s owner changes the ways in.', go: 'Confirm', passkey: 'Confirm with a passkey' },
  forgot: {
    link: 'Forgot the password?', title: 'Forgotten password', mail: 'We send a link to choose a new one, if you ever confirmed this address.', send: 'Send the link',
    code: 'Or sign in with a recovery code, if you wrote them down.', other: 'None of these? Go to a device where the cards still open and add a way in there.',
  },
  reset: { title: 'New password', save: 'Save and sign in', done: 'Password changed, you are signed in' },
  confirm: { title: 'Confirming the e-mail', working: 'Opening the account', go: 'Open the account', done: 'E-mail confirmed, you are signed in' },
  verify: { done: 'E-mail confirmed', signIn: 'First sign in to the account that asked for the link, then open it again.' },
  again: 'Ask for a new link', onward: 'To the cards', or: 'or',
};

export const WAYS: Readonly<Record<Language, WaysWords>> = { ru, en };
