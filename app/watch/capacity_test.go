package watch

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kvart/app"
)

// pipes carries connections to a server of the same bubble, whose clock jumps.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// slowShop is a storefront that so many clerks serve, each so long at a page:
// beyond what they manage, visitors queue.
type slowShop struct {
	t      *testing.T
	clerks chan struct{}
	each   time.Duration
	// answer, when set, answers the n-th visitor in place of the page.
	answer func(w http.ResponseWriter, n int) bool
	// line, when set, is asked before each visitor leaves the house.
	line func(ctx context.Context) error

	mu     sync.Mutex
	came   []time.Time // visitors of the rehearsal, not the look before it
	agents map[string]bool
}

func (s *slowShop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.agents[r.UserAgent()] = true
	s.came = append(s.came, time.Now())
	n := len(s.came)
	s.mu.Unlock()
	if s.answer != nil && s.answer(w, n) {
		return
	}
	select {
	case s.clerks <- struct{}{}:
	case <-r.Context().Done():
		return
	}
	time.Sleep(s.each)
	<-s.clerks
	_, _ = io.WriteString(w, "<html>Välkommen till Kopp")
}

// rehearse rehearses with a shop of so many clerks, in a bubble.
func rehearse(t *testing.T, s *slowShop, clerks int, each time.Duration, run app.CapacityRun, with func(ctx context.Context, w *Watch, run app.CapacityRun)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.t, s.clerks, s.each, s.agents = t, make(chan struct{}, clerks), each, map[string]bool{}
		p := &pipes{make(chan net.Conn), make(chan struct{})}
		server := &http.Server{Handler: s}
		go func() { _ = server.Serve(p) }()
		w := New(Options{Dial: func(ctx context.Context, _, address string) (net.Conn, error) {
			if address != "kopp.example:80" {
				t.Errorf("went to %s", address)
				return nil, fmt.Errorf("not to %s", address)
			}
			if s.line != nil {
				if err := s.line(ctx); err != nil {
					return nil, err
				}
			}
			near, far := net.Pipe()
			select {
			case p.conns <- far:
				return near, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}})
		run.Storefront = app.StorefrontSettings{URL: "http://kopp.example/", Word: "kopp"}
		run.Progress = &progress{}
		if run.Stepped == nil {
			run.Stepped = func(app.CapacityStep) {}
		}
		if run.Stop == nil {
			run.Stop = func() app.CapacityEnd { return "" }
		}
		with(t.Context(), w, run)
		close(p.done)
		_ = server.Close()
	})
}

type progress struct{ items, done int64 }

func (c *progress) Expect(items, _ int64) { c.items += items }
func (c *progress) Done(items, _ int64)   { c.done += items }

// result rehearses and returns what came of it.
func result(t *testing.T, s *slowShop, clerks int, each time.Duration, run app.CapacityRun) (res app.CapacityResult) {
	t.Helper()
	rehearse(t, s, clerks, each, run, func(ctx context.Context, w *Watch, run app.CapacityRun) {
		var err error
		if res, err = w.Rehearse(ctx, run); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		n := len(s.came)
		s.mu.Unlock()
		time.Sleep(time.Minute)
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.came) != n {
			t.Errorf("%d visitors came after the end", len(s.came)-n)
		}
	})
	return res
}

// Two clerks at 400 ms a page manage 300 visitors a minute.
func TestRehearse_findsWhereTheShopBecomesSlow(t *testing.T) {
	t.Parallel()
	var stepped []app.CapacityStep
	res := result(t, &slowShop{}, 2, 400*time.Millisecond, app.CapacityRun{Ceiling: 600, Stepped: func(s app.CapacityStep) { stepped = append(stepped, s) }})
	if res.End != app.CapacityEndSlow || res.Stood != 230 || res.Slow != 345 {
		t.Errorf("stood %d, slow at %d, %s", res.Stood, res.Slow, res.End)
	}
	last := res.Steps[len(res.Steps)-1]
	if last.Visitors != 345 || last.P95 <= 3000 || last.Errors != 0 {
		t.Errorf("last step %+v", last)
	}
	if last.Asked >= visitorsOf(345) {
		t.Errorf("all %d were sent although the shop was too slow before", last.Asked)
	}
	for _, s := range res.Steps[:len(res.Steps)-1] {
		if s.P95 > 3000 || s.Asked != visitorsOf(s.Visitors) {
			t.Errorf("step %+v", s)
		}
	}
	if len(stepped) != len(res.Steps) {
		t.Errorf("told of %d steps of %d", len(stepped), len(res.Steps))
	}
}

func TestRehearse_neverMoreThanTheCeiling(t *testing.T) {
	t.Parallel()
	s := &slowShop{}
	res := result(t, s, 50, 100*time.Millisecond, app.CapacityRun{Ceiling: 100})
	if res.End != app.CapacityEndCeiling || res.Stood != 100 || res.Slow != 0 {
		t.Errorf("result %+v", res)
	}
	for i := range s.came {
		n := 0
		for _, at := range s.came[i:] {
			if at.Sub(s.came[i]) < time.Minute {
				n++
			}
		}
		if n > 101 { // and the look before the first
			t.Fatalf("%d visitors within a minute", n)
		}
	}
	if len(s.agents) != 1 || !s.agents[visitorAgent()] {
		t.Errorf("they call themselves %v", s.agents)
	}
	if res.Ended.Sub(res.Started) > 4*time.Minute {
		t.Errorf("lasted %s", res.Ended.Sub(res.Started))
	}
}

func TestRehearse_stopsAtTheFirstStrain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer func(w http.ResponseWriter, n int) bool
		end    app.CapacityEnd
		most   int // visitors after the first that was answered so
	}{
		"errors": {func(w http.ResponseWriter, n int) bool {
			if n > 60 && n%3 == 0 {
				http.Error(w, "", http.StatusBadGateway)
			}
			return n > 60 && n%3 == 0
		}, app.CapacityEndErrors, 20},
		"asked for fewer": {func(w http.ResponseWriter, n int) bool {
			if n > 60 {
				http.Error(w, "", http.StatusTooManyRequests)
			}
			return n > 60
		}, app.CapacityEndErrors, 3},
		"a queue with its time": {func(w http.ResponseWriter, n int) bool {
			if n > 60 {
				w.Header().Set("Retry-After", "30")
				http.Error(w, "", http.StatusServiceUnavailable)
			}
			return n > 60
		}, app.CapacityEndErrors, 3},
		"sent elsewhere": {func(w http.ResponseWriter, n int) bool {
			if n > 60 {
				w.Header().Set("Location", "http://elsewhere.example/")
				w.WriteHeader(http.StatusFound)
			}
			return n > 60
		}, app.CapacityEndMoved, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := &slowShop{answer: tt.answer}
			res := result(t, s, 50, 50*time.Millisecond, app.CapacityRun{Ceiling: 600})
			if res.End != tt.end || res.Slow != 0 || len(s.came) > 60+tt.most {
				t.Errorf("%s after %d visitors, slow at %d", res.End, len(s.came), res.Slow)
			}
		})
	}
}

func TestRehearse_stopsWhenItIsTold(t *testing.T) {
	t.Parallel()
	s := &slowShop{}
	rehearse(t, s, 5, time.Millisecond, app.CapacityRun{Ceiling: 600}, func(ctx context.Context, w *Watch, run app.CapacityRun) {
		ctx, cancel := context.WithTimeout(ctx, 62*time.Second)
		defer cancel()
		began := time.Now()
		res, err := w.Rehearse(ctx, run)
		if err != nil || res.End != app.CapacityEndCanceled || time.Since(began) != 62*time.Second || len(res.Steps) != 2 {
			t.Errorf("%+v after %s, %v", res, time.Since(began), err)
		}
	})
	asked := 0
	res := result(t, &slowShop{}, 5, time.Millisecond, app.CapacityRun{Ceiling: 600, Stop: func() app.CapacityEnd {
		if asked++; asked > 10 {
			return app.CapacityEndIncident
		}
		return ""
	}})
	if res.End != app.CapacityEndIncident || res.Ended.Sub(res.Started) > 15*time.Second {
		t.Errorf("%s after %s", res.End, res.Ended.Sub(res.Started))
	}
	// a computer that was so busy that a step took for ever
	res = result(t, &slowShop{}, 5, time.Millisecond, app.CapacityRun{Ceiling: 600, Stepped: func(app.CapacityStep) { time.Sleep(20 * time.Minute) }})
	if res.End != app.CapacityEndTime || len(res.Steps) != 1 {
		t.Errorf("%s after %d steps", res.End, len(res.Steps))
	}
}

func TestRehearse_refusesWhatIsNotTheOwners(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		url    string
		answer func(w http.ResponseWriter, n int) bool
		want   app.Code
	}{
		"a platform's address": {"http://bjornbar.myshopify.com", nil, app.CodeCapacityHosted},
		"a platform's answer": {"http://kopp.example", func(w http.ResponseWriter, _ int) bool {
			w.Header().Set("X-ShopId", "123")
			return false
		}, app.CodeCapacityHosted},
		"sent elsewhere": {"http://kopp.example", func(w http.ResponseWriter, _ int) bool {
			w.Header().Set("Location", "http://www.kopp.example/")
			w.WriteHeader(http.StatusMovedPermanently)
			return true
		}, app.CodeCapacityElsewhere},
		"an error page": {"http://kopp.example", func(w http.ResponseWriter, _ int) bool {
			http.Error(w, "", http.StatusInternalServerError)
			return true
		}, app.CodeStorefrontStatus},
		"another's page": {"http://kopp.example", func(w http.ResponseWriter, _ int) bool {
			_, _ = io.WriteString(w, "<html>parkerad domän")
			return true
		}, app.CodeStorefrontWord},
	} {
		t.Run(name, func(t *testing.T) {
			s := &slowShop{answer: tt.answer}
			rehearse(t, s, 5, time.Millisecond, app.CapacityRun{Ceiling: 600}, func(ctx context.Context, w *Watch, run app.CapacityRun) {
				run.Storefront.URL = tt.url
				res, err := w.Rehearse(ctx, run)
				if app.CodeOf(err) != tt.want || len(res.Steps) != 0 || len(s.came) > 1 {
					t.Errorf("%v, %d steps, %d visitors", err, len(res.Steps), len(s.came))
				}
				if tt.want == app.CodeCapacityElsewhere && app.AsError(err).Args["elsewhere"] != "www.kopp.example" {
					t.Errorf("args %v", app.AsError(err).Args)
				}
			})
		})
	}
}

func TestLevels_endInTime(t *testing.T) {
	t.Parallel()
	for _, ceiling := range []int{1, 5, 20, 21, app.CapacityUsual, app.CapacityCeiling} {
		all := levels(ceiling)
		var lasts time.Duration
		for i, n := range all {
			lasts += timeOf(n)
			if i > 0 && (n <= all[i-1] || float64(n) > stepGrowth*float64(all[i-1])+1) {
				t.Errorf("%d: from %d to %d", ceiling, all[i-1], n)
			}
		}
		if all[len(all)-1] != ceiling || ceiling >= firstStep && lasts > app.CapacityTime {
			t.Errorf("%d: %v lasts %s", ceiling, all, lasts)
		}
	}
}

func TestPlatformOf(t *testing.T) {
	t.Parallel()
	header := func(k, v string) http.Header { return http.Header{http.CanonicalHeaderKey(k): {v}} }
	for _, tt := range []struct {
		host string
		h    http.Header
		want string
	}{
		{"kopp.se", nil, ""},
		{"kopp.se", header("Server", "nginx"), ""},
		{"Kopp.MyShopify.com", nil, "Shopify"},
		{"notmyshopify.com", nil, ""},
		{"kopp.se", header("powered-by", "Shopify"), "Shopify"},
		{"kopp.se", header("x-sorting-hat-shopid", "1"), "Shopify"},
		{"kopp.se", header("x-wix-request-id", "1"), "Wix"},
		{"kopp.se", header("server", "Squarespace"), "Squarespace"},
	} {
		if got := platformOf(tt.host, tt.h); got != tt.want {
			t.Errorf("%s %v: %q, want %q", tt.host, tt.h, got, tt.want)
		}
	}
}

func TestFindProof(t *testing.T) {
	t.Parallel()
	const token = "abc123"
	head := `<html><head><title>Kopp</title><meta charset="utf-8"><meta name="kvart-proof" content="abc123"></head><body>`
	for name, tt := range map[string]struct {
		file, page string
		want       string
	}{
		"file":                   {"abc123\n", "", "file"},
		"file with more in it":   {"abc123 and more", "", ""},
		"another's token":        {"abc124", "", ""},
		"tag":                    {"", head, "meta"},
		"tag of another token":   {"", strings.Replace(head, "abc123", "x", 1), ""},
		"tag a visitor wrote":    {"", `<html><head></head><body>Bra! <meta name="kvart-proof" content="abc123">`, ""},
		"tag in a body alone":    {"", `<body><meta name="kvart-proof" content="abc123">`, ""},
		"tag within a comment":   {"", `<head><!-- <meta name="kvart-proof" content="abc123"> --></head>`, ""},
		"nothing":                {"", "<html><head></head>", ""},
		"error page as the file": {"<html>Finns inte", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mux := http.NewServeMux()
			mux.HandleFunc("/.well-known/kvart-"+token+".txt", func(w http.ResponseWriter, r *http.Request) {
				if tt.file == "" {
					http.NotFound(w, r)
				}
				_, _ = io.WriteString(w, tt.file)
			})
			mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tt.page) })
			way, err := New(Options{}).FindProof(t.Context(), app.StorefrontSettings{URL: page(t, mux)}, token)
			if way != tt.want || err != nil {
				t.Errorf("%q, %v; want %q", way, err, tt.want)
			}
		})
	}
}

// A file that the shop's host sends elsewhere for proves nothing of the shop.
func TestFindProof_neverElsewhere(t *testing.T) {
	t.Parallel()
	other := page(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "abc123") }))
	own := page(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other+r.URL.Path, http.StatusFound) }))
	way, err := New(Options{}).FindProof(t.Context(), app.StorefrontSettings{URL: own}, "abc123")
	if way != "" || app.CodeOf(err) != app.CodeCapacityElsewhere {
		t.Errorf("%q, %v", way, err)
	}
}
