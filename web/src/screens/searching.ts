/** What is typed into the search box, and what it finds: at a till all cards are meant, whichever pocket is chosen. */
import { computed, signal } from '@preact/signals';
import { search, type OtherNames } from '../search';
import { account, cards, language } from '../wallet';

export const query = signal('');
/** What else the shops of cards are called; unknown until somebody searches. */
export const otherNames = signal<OtherNames | undefined>(undefined);
export const found = computed(() => search(cards.value, query.value, language.value, otherNames.value));

const hasCards = computed(() => cards.value.length > 0);
/** Without cards there is no search box, and so no way out of a search. */
export const searching = computed(() => query.value !== '' && hasCards.value);

const wallet = computed(() => `${account.value?.id} ${hasCards.value}`);
// Whoever comes next must not read what was typed here.
wallet.subscribe(() => void (query.value = ''));
