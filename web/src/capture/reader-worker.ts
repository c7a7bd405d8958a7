/** The reader on a thread of its own: pictures in, codes out, one after the other. */
import { codesIn, lookAt } from './looks';
import { warm } from './reader';
import type { Answer, Order } from './reader-thread';

interface Thread {
  onmessage: (event: MessageEvent<Order>) => void;
  readonly postMessage: (answer: Answer, transfer: Transferable[]) => void;
}

const thread = self as unknown as Thread;
const left = new Set<number>();

thread.onmessage = ({ data: order }) => {
  switch (order.kind) {
    case 'warm': return void warm().catch(() => undefined);
    case 'leave': return void left.add(order.id);
    default: return void answer(order);
  }
};

async function answer(order: Extract<Order, { picture: ImageBitmap }>): Promise<void> {
  const { id, picture } = order;
  try {
    if (order.kind === 'photo') {
      const codes = await codesIn(picture, () => left.has(id));
      thread.postMessage({ id, looked: { codes } }, []);
      return;
    }
    const looked = await lookAt(picture, order.aim, order.thorough);
    // The page shows the very frame that was read.
    if (looked.codes.length) thread.postMessage({ id, looked, frame: picture }, [picture]);
    else thread.postMessage({ id, looked }, []);
  } catch (error) {
    thread.postMessage({ id, failed: String(error) }, []);
  } finally {
    left.delete(id);
    picture.close();
  }
}
