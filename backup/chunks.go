package backup

import (
	"io"
	"iter"
	"sync"
)

// chunk is a stretch of a file, and why it is the last one.
type chunk struct {
	b   []byte
	err error
}

// chunks reads r in stretches of size bytes, each while the one before is worked
// on. The last one is shorter, or empty, and comes with the error that ended the
// reading: [io.EOF] at the end. The bytes are the caller's until the next ones.
// Nothing reads r any more when the loop has ended.
func chunks(r io.Reader, size int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		free, full, stop := make(chan []byte, 2), make(chan chunk), make(chan struct{})
		free <- make([]byte, size)
		free <- make([]byte, size)
		var work sync.WaitGroup
		defer work.Wait()
		defer close(stop)
		work.Go(func() {
			for err := error(nil); err == nil; {
				var c chunk
				select {
				case b := <-free:
					c = fill(r, b)
				case <-stop:
					return
				}
				select {
				case full <- c:
				case <-stop:
					return
				}
				err = c.err
			}
		})
		for {
			c := <-full
			if !yield(c.b, c.err) || c.err != nil {
				return
			}
			free <- c.b
		}
	}
}

// mostIdle is how often in a row a reader may come back with nothing.
const mostIdle = 100

// fill reads until b is full, or as far as it gets: to an [io.ErrNoProgress] where
// the reader brings nothing again and again, and no reason why.
func fill(r io.Reader, b []byte) chunk {
	for n, idle := 0, 0; ; {
		k, err := r.Read(b[n:])
		if n += k; err != nil || n == len(b) {
			return chunk{b[:n], err}
		}
		if idle++; k > 0 {
			idle = 0
		}
		if idle == mostIdle {
			return chunk{b[:n], io.ErrNoProgress}
		}
	}
}
