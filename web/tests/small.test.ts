/** Small values: ids, times, device names, locks of a single tab. */
import { expect, test } from 'vitest';
import { deviceName } from '../src/device-name';
import { timestamp, uuid7 } from '../src/ids';
import { backoff } from '../src/sync/backoff';
import { tabLocks } from '../src/tab-locks';

test('ids are UUIDs of version 7, unique, and sort by their time', () => {
  const ids = Array.from({ length: 1000 }, (_, index) => uuid7(1_700_000_000_000 + index));
  const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  expect(ids.every((id) => shape.test(id))).toBe(true);
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(Array.from({ length: 1000 }, () => uuid7(0))).size).toBe(1000);
});

test('the first 48 bits of an id are its milliseconds', () => {
  expect(parseInt(uuid7(0x0123456789ab).replaceAll('-', '').slice(0, 12), 16)).toBe(0x0123456789ab);
});

test('times are UTC to the second', () => {
  expect(timestamp(Date.UTC(2026, 10, 21, 10, 0, 0, 999))).toBe('2026-11-21T10:00:00Z');
});

test.each([
  ['Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36', 'Chrome, Android'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1', 'Safari, iPhone'],
  ['Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 YaBrowser/25.1 Safari/537.36', 'Яндекс Браузер, Windows'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox, Linux'],
  ['something else', 'Web'],
])('%s is called %s', (userAgent, name) => {
  expect(deviceName(userAgent)).toBe(name);
});

test('waits grow, never pass two minutes, and never vanish', () => {
  for (let failures = 0; failures < 40; failures++) {
    expect(backoff(failures)).toBeGreaterThanOrEqual(500);
    expect(backoff(failures)).toBeLessThanOrEqual(120_000);
  }
  expect(backoff(6)).toBeGreaterThan(backoff(0));
});

test('without Web Locks a tab still does one thing at a time, also after a failure', async () => {
  const locks = tabLocks();
  const seen: string[] = [];
  const slow = async (): Promise<void> => {
    seen.push('begin');
    await new Promise((resolve) => setTimeout(resolve, 1));
    seen.push('end');
    throw new Error('broken');
  };
  const first = locks.request('a', {}, slow);
  expect(await locks.request('a', { ifAvailable: true }, async (lock) => lock)).toBeNull();
  const second = locks.request('a', {}, async () => void seen.push('second'));
  await expect(first).rejects.toThrow('broken');
  await second;
  expect(seen).toEqual(['begin', 'end', 'second']);
  expect(await locks.request('a', { ifAvailable: true }, async (lock) => lock)).not.toBeNull();
});
