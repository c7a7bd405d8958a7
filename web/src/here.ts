/** This tab's one wallet and session. Screens do not come here: they use `wallet` and `account`. */
import { browser } from './browser';
import { Session } from './session';
import { Tab } from './tab';

export const tab = new Tab(browser());
export const session = new Session(tab);
void session.start();
