package agent

import "sync"

// bus tells watchers that something changed. It never blocks: a watcher that
// is busy finds one token and reads the whole state again.
type bus struct {
	mu   sync.Mutex
	seq  uint64
	subs map[chan struct{}]bool
}

func newBus() *bus { return &bus{subs: map[chan struct{}]bool{}} }

func (b *bus) poke() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq++
	for c := range b.subs {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// number returns how often something changed.
func (b *bus) number() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seq
}

func (b *bus) subscribe() (changed <-chan struct{}, cancel func()) {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	b.subs[c] = true
	b.mu.Unlock()
	return c, func() {
		b.mu.Lock()
		delete(b.subs, c)
		b.mu.Unlock()
	}
}
