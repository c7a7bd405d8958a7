/** What the screen of reminders says: apart, since few open it. */
import type { Language } from '../model';
import { plural } from './plural';

export interface ReminderWords {
  readonly title: string;
  readonly about: string;
  readonly guest: string;
  readonly on: string;
  readonly when: string;
  readonly before: (days: number) => string;
  readonly quiet: string;
  readonly from: string;
  readonly to: string;
  readonly zone: (name: string) => string;
  readonly quietWrong: string;
  readonly details: string;
  readonly example: (notice: string) => string;
  readonly device: string;
  readonly told: string;
  readonly tellNoMore: string;
  readonly notTold: string;
  readonly tell: string;
  readonly denied: string;
  readonly unsupported: string;
  readonly addToHome: string;
  readonly failed: string;
  readonly offline: string;
}

const ru: ReminderWords = {
  title: 'Напоминания',
  about: 'Карман и так показывает в списке, у каких карт кончается срок. А ещё может напомнить уведомлением.',
  guest: 'Уведомления присылает сервер, поэтому для них нужен аккаунт.',
  on: 'Напоминать, когда кончается срок карты',
  when: 'За сколько',
  before: (days) => days === 0 ? 'в последний день'
    : days === 1 ? 'за день'
      : `за ${days} ${plural('ru', days, { one: 'день', few: 'дня', many: 'дней', other: 'дня' })}`,
  quiet: 'Не беспокоить', from: 'С', to: 'До',
  zone: (name) => `По часам этого места: ${name}.`,
  quietWrong: 'Начало и конец совпадают: так уведомления не придут никогда.',
  details: 'Называть карту в уведомлении',
  example: (notice) => `На экране блокировки будет: «${notice}».`,
  device: 'Это устройство',
  told: 'Уведомления приходят сюда.', tellNoMore: 'Больше не присылать сюда',
  notTold: 'Сюда уведомления пока не приходят.', tell: 'Присылать сюда',
  denied: 'Уведомления для Кармана закрыты. Разрешите их в настройках браузера и вернитесь сюда.',
  unsupported: 'Этот браузер уведомлений не показывает. Они придут на другие ваши устройства, где вы их включите.',
  addToHome: 'На айфоне и айпаде сначала добавьте Карман на экран «Домой» и откройте его оттуда.',
  failed: 'Браузер не смог подписаться на уведомления. Попробуйте позже.',
  offline: 'Настройки напоминаний откроются, когда появится сеть.',
};

const en: ReminderWords = {
  title: 'Reminders',
  about: 'The list of cards says which of them end soon. Karman can also send a notification.',
  guest: 'Notifications come from the server, so they need an account.',
  on: 'Remind me when a card ends',
  when: 'How long before',
  before: (days) => days === 0 ? 'on the last day' : days === 1 ? 'a day' : `${days} days`,
  quiet: 'Do not disturb', from: 'From', to: 'To',
  zone: (name) => `By the clocks of ${name}.`,
  quietWrong: 'It begins when it ends: no notification would ever come.',
  details: 'Name the card in the notification',
  example: (notice) => `The lock screen will say: “${notice}”.`,
  device: 'This device',
  told: 'Notifications come here.', tellNoMore: 'Send no more here',
  notTold: 'No notifications come here yet.', tell: 'Send them here',
  denied: 'Karman may not show notifications. Allow them in the browser’s settings and come back.',
  unsupported: 'This browser shows no notifications. They will come to your other devices where you turn them on.',
  addToHome: 'On an iPhone or iPad, add Karman to the Home Screen first and open it from there.',
  failed: 'The browser could not subscribe to notifications. Try later.',
  offline: 'The settings of reminders open when there is a network.',
};

export const REMINDERS: Readonly<Record<Language, ReminderWords>> = { ru, en };
