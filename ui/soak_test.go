//go:build !race

package ui

import (
	"runtime"
	"testing"
	"time"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/uitest"
)

// update brings the window the ith status of a busy day.
func (r *rig) update(i int) {
	s := uitest.Safe()
	s.Seq, s.Now = uint64(i), s.Now.Add(time.Duration(i)*time.Second)
	if i%10 < 5 {
		j := *uitest.BackingUp().Job
		j.ItemsDone, j.BytesDone = int64(i%1204), int64(i)*1000
		s.Job = &j
	}
	r.seen(s)
}

// live returns how much memory is in use.
func live() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestWindow_growsNotWithUpdates: a thousand updates leave no goroutine behind
// and no more memory than a few. The benchmark tells the same of many more.
func TestWindow_growsNotWithUpdates(t *testing.T) {
	r := newRig(t, uitest.Safe())
	defer r.Close()
	r.show(screen.Place{Screen: screen.Home})
	for i := range 100 {
		r.update(i)
	}
	goroutines, before := runtime.NumGoroutine(), live()
	for i := range 1000 {
		r.update(i)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines became %d", goroutines, n)
	}
	if after := live(); after > before+8<<20 {
		t.Errorf("%d kB became %d kB", before>>10, after>>10)
	}
}

// BenchmarkWindow_growth tells what updates leave behind.
func BenchmarkWindow_growth(b *testing.B) {
	r := newRig(b, uitest.Safe())
	defer r.Close()
	r.show(screen.Place{Screen: screen.Home})
	for i := range 100 {
		r.update(i)
	}
	goroutines, before := runtime.NumGoroutine(), live()
	for i := range b.N {
		r.update(i)
	}
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines), "goroutines")
	b.ReportMetric((float64(live())-float64(before))/1024, "kB-kept")
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
