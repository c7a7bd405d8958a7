/** What taking a card in says: apart, since the wallet and the till are opened without it. */
import type { Language } from '../model';
import { plural } from './plural';

const ru = {
  denied: 'Камера закрыта для Кармана. Разрешите её в настройках браузера. Или выберите фото, или введите номер.',
  none: 'Камеры здесь не нашлось. Выберите фото или введите номер.',
  busy: 'Камеру заняло другое приложение. Закройте его и попробуйте снова. Или выберите фото, или введите номер.',
  dark: 'Темно. Поднесите карту к свету.', darkTorch: 'Темно. Включите фонарик или поднесите карту к свету.',
  small: 'Код слишком мелкий. Поднесите карту ближе.',
  blurred: 'Не в фокусе. Держите ровно, можно чуть дальше.',
  late: 'Не читается? Снимите фото: по нему код ищут дольше и тщательнее.', takeFrame: 'Снять этот кадр',

  /** What the server does with a photo, one after the other. */
  barcodes: 'Код', card: 'Карта', text: 'Надписи', match: 'Магазин', noCode: 'не нашёлся',
  readingOffline: 'Сети нет. Читаю фото на телефоне.',
  readingHere: 'Сервер не ответил. Читаю фото на телефоне.',
  proceed: 'Не ждать, заполнить вручную',
  serverWaits: (s: number) => `Сервер занят. Спрошу ещё раз через ${s} ${
    plural('ru', s, { one: 'секунду', few: 'секунды', many: 'секунд', other: 'секунды' })}.`,
  brokenOff: 'Связь оборвалась. Что успело прочитаться, на месте.', askAgain: 'Спросить сервер ещё раз',
  otherSide: 'Код на обороте? Добавьте его фото', codesFound: (n: number) => `Кодов на фото: ${n}`,

  numberSeen: (sure: string) => `Похоже на номер карты: ${sure}. Сверьте с фото.`, take: 'Вписать',
  numberWaits: 'Номер ещё не вписан. Сверьте его с фото и нажмите «Вписать». Если он не нужен, сохраните карту ещё раз.',

  photoKeep: (n: number) => plural('ru', n, { one: 'Сохранить фото карты', other: 'Сохранить оба фото карты' }),
  addSide: 'Добавить другую сторону', turnOver: 'Поменять стороны местами', removePhoto: 'Убрать второе фото',
  wholePhoto: 'Показывать фото целиком', onlyCard: 'Показывать только карту',

  shared: (n: number) => `Пришло ${n} фото. Это две стороны одной карты или разные карты?`,
  oneCard: 'Одна карта: две стороны', eachCard: 'Разные карты, по очереди',
  nth: (n: number, all: number) => `Карта ${n} из ${all}`, skip: 'Пропустить эту карту',
  nthFailed: (n: number, all: number) => `Фото ${n} из ${all} не открылось.`,
  waiting: (n: number) => `Ещё не разобрано фото: ${n}. Уйдёте отсюда, и делиться придётся заново.`, goOn: 'Разобрать',
  nothingShared: 'Картинка не дошла. Поделитесь ею ещё раз или выберите её в галерее.',
};

export type CaptureWords = typeof ru;

const en: CaptureWords = {
  denied: 'Karman may not use the camera. Allow it in the browser’s settings, or choose a photo, or type the number.',
  none: 'There is no camera here. Choose a photo or type the number.',
  busy: 'Another app holds the camera. Close it and try again, or choose a photo, or type the number.',
  dark: 'It is dark. Bring the card to the light.', darkTorch: 'It is dark. Turn the torch on, or find more light.',
  small: 'The code is too small. Bring the card closer.',
  blurred: 'Out of focus. Hold it still, a little further away if need be.',
  late: 'Not reading? Take a photo: it is searched longer and more closely.', takeFrame: 'Take this picture',

  barcodes: 'Code', card: 'Card', text: 'Print', match: 'Shop', noCode: 'not found',
  readingOffline: 'There is no network. Reading the photo on the phone.',
  readingHere: 'The server did not answer. Reading the photo on the phone.',
  proceed: 'Go on without waiting',
  serverWaits: (s) => `The server is busy. Asking again in ${s} ${
    plural('en', s, { one: 'second', other: 'seconds' })}.`,
  brokenOff: 'The connection broke off. What had been read is still here.', askAgain: 'Ask the server again',
  otherSide: 'Code on the back? Add its photo', codesFound: (n) => `Codes in the photos: ${n}`,

  numberSeen: (sure) => `Looks like the card’s number: ${sure}. Compare it with the photo.`, take: 'Fill in',
  numberWaits: 'The number is not filled in yet. Compare it with the photo and press “Fill in”. If you do not need it, keep the card once more.',

  photoKeep: (n) => plural('en', n, { one: 'Keep the photo of the card', other: 'Keep both photos of the card' }),
  addSide: 'Add the other side', turnOver: 'Swap the sides', removePhoto: 'Remove the second photo',
  wholePhoto: 'Show the whole photo', onlyCard: 'Show only the card',

  shared: (n) => `${n} pictures came. Are they two sides of one card, or different cards?`,
  oneCard: 'One card: two sides', eachCard: 'Different cards, one by one',
  nth: (n, all) => `Card ${n} of ${all}`, skip: 'Skip this card',
  nthFailed: (n, all) => `Photo ${n} of ${all} did not open.`,
  waiting: (n) => `Photos not gone through yet: ${n}. Leave, and you have to share them again.`, goOn: 'Go on with them',
  nothingShared: 'The picture did not arrive. Share it again, or choose it from the gallery.',
};

export const CAPTURE: Readonly<Record<Language, CaptureWords>> = { ru, en };
