package ui

import (
	"runtime"
	"testing"
	"time"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/uitest"
)

// TestWindow_growsNotWithUpdates: ten thousand updates, more than a day brings,
// leave no goroutine behind and no more memory than a few.
func TestWindow_growsNotWithUpdates(t *testing.T) {
	r := newRig(t, uitest.Safe())
	defer r.Close()
	r.show(screen.Place{Screen: screen.Home})
	update := func(i int) {
		s := uitest.Safe()
		s.Seq, s.Now = uint64(i), s.Now.Add(time.Duration(i)*time.Second)
		if i%10 < 5 {
			j := *uitest.BackingUp().Job
			j.ItemsDone, j.BytesDone = int64(i%1204), int64(i)*1000
			s.Job = &j
		}
		r.seen(s)
	}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for i := range 500 {
		update(i)
	}
	goroutines, before := runtime.NumGoroutine(), heap()
	for i := range 10_000 {
		update(i)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines became %d", goroutines, n)
	}
	if after := heap(); after > before+8<<20 {
		t.Errorf("%d kB became %d kB", before>>10, after>>10)
	}
}

// BenchmarkWindow_update is what a status costs the window that shows it, on
// every screen: models and what they change, without drawing.
func BenchmarkWindow_update(b *testing.B) {
	for _, n := range []screen.Name{screen.Home, screen.Sources, screen.History, screen.Recover, screen.Safety, screen.Settings} {
		b.Run(string(n), func(b *testing.B) {
			r := newRig(b, uitest.Safe())
			defer r.Close()
			r.show(screen.Place{Screen: n})
			states := []app.Status{uitest.Safe(), uitest.Late()}
			for i := 0; b.Loop(); i++ {
				s := states[i%2]
				s.Now = s.Now.Add(time.Duration(i) * time.Second)
				r.seen(s)
			}
		})
	}
}
