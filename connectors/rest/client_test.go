package rest_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// ask makes a client of a server and the naps it took.
func ask(t *testing.T, h http.HandlerFunc) (*rest.Client, func() []time.Duration) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	base, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var naps []time.Duration
	c := rest.NewClient(base, nil, rest.NewGentle(1e6), 2)
	c.Nap = func(_ context.Context, d time.Duration) error {
		mu.Lock()
		defer mu.Unlock()
		naps = append(naps, d)
		return nil
	}
	return c, func() []time.Duration { return naps }
}

func TestClient_JSON_patience(t *testing.T) {
	t.Parallel()
	n := 0
	c, naps := ask(t, func(w http.ResponseWriter, _ *http.Request) {
		if n++; n < 3 {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = w.Write([]byte(`{"a":1}`))
	})
	var got struct{ A int }
	if _, err := c.JSON(t.Context(), rest.Request{Path: "x"}, &got); err != nil || got.A != 1 {
		t.Errorf("got %v: %v", got, err)
	}
	if d := naps(); len(d) != 2 || d[0] != 7*time.Second {
		t.Errorf("naps %v", d)
	}
}

// What writes is not sent twice when nobody knows whether it was done.
func TestClient_Do_writesOnce(t *testing.T) {
	t.Parallel()
	n := 0
	c, _ := ask(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		w.WriteHeader(http.StatusBadGateway)
	})
	_, err := c.Do(t.Context(), rest.Request{Method: http.MethodPost, Path: "x", Body: map[string]any{}})
	if app.CodeOf(err) != app.CodeShopAnswer || n != 1 {
		t.Errorf("%d requests: %v", n, err)
	}
	if _, err = c.Do(t.Context(), rest.Request{Path: "x"}); app.CodeOf(err) != app.CodeShopAnswer || n < 3 {
		t.Errorf("%d requests: %v", n, err)
	}
}

func TestClient_JSON_answers(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]app.Code{
		`{"a":1}`: "", ` [1]`: "", "": app.CodeShopAnswer, "<html>": app.CodeShopAnswer, `{"a":`: app.CodeShopAnswer, `{"a":1}<br>`: app.CodeShopAnswer,
	} {
		c, _ := ask(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
		if _, err := c.JSON(t.Context(), rest.Request{Path: "x"}, nil); app.CodeOf(err) != want {
			t.Errorf("%q: %v", body, err)
		}
	}
	c, _ := ask(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"code":"x"}`, http.StatusNotFound) })
	_, err := c.JSON(t.Context(), rest.Request{Path: "geheim", Query: url.Values{"key": {"ck_1"}}}, nil)
	var st *rest.StatusError
	if !errors.As(err, &st) || st.Status != http.StatusNotFound || strings.Contains(err.Error(), "ck_1") {
		t.Errorf("not found: %v", err)
	}
}

// A cut answer is no answer, and a dead server no shop.
func TestClient_JSON_broken(t *testing.T) {
	t.Parallel()
	c, _ := ask(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte(`{"a":1}`))
	})
	if _, err := c.JSON(t.Context(), rest.Request{Path: "x"}, nil); app.CodeOf(err) != app.CodeShopAnswer {
		t.Errorf("cut: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.JSON(ctx, rest.Request{Path: "x"}, nil); app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("canceled: %v", err)
	}
}

func TestParseBase(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in    string
		plain bool
		want  string
		code  app.Code
	}{
		{in: "butik.example", want: "https://butik.example"},
		{in: " https://butik.example/butik/ ", want: "https://butik.example/butik"},
		{in: "http://butik.example", code: app.CodeSourcePlain},
		{in: "http://butik.example", plain: true, want: "http://butik.example"},
		{in: "http://127.0.0.1:8080", want: "http://127.0.0.1:8080"},
		{in: "ftp://butik.example", code: app.CodeUsage},
		{in: "https://user:pass@butik.example", code: app.CodeUsage},
		{in: "", code: app.CodeUsage},
	}
	for _, tt := range tests {
		u, err := rest.ParseBase("url", tt.in, tt.plain)
		if app.CodeOf(err) != tt.code || err == nil && u.String() != tt.want {
			t.Errorf("%q: %v, %v", tt.in, u, err)
		}
	}
}

func TestBucket(t *testing.T) {
	t.Parallel()
	b := rest.NewBucket(1000, 100)
	if err := b.Wait(t.Context(), 900); err != nil {
		t.Fatal(err)
	}
	b.Set(10, 1000, 1000)
	began := time.Now()
	if err := b.Wait(t.Context(), 110); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 50*time.Millisecond || took > 5*time.Second {
		t.Errorf("waited %v for 100 points at 1000 a second", took)
	}
}

// A server that answers a byte at a time is given up, as one that does not answer.
func TestClient_JSON_slowLoris(t *testing.T) {
	t.Parallel()
	asked := 0
	c, _ := ask(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		for range 200 {
			_, _ = w.Write([]byte(" "))
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	c.Patience(150 * time.Millisecond)
	began := time.Now()
	if _, err := c.JSON(t.Context(), rest.Request{Path: "x"}, nil); app.CodeOf(err) != app.CodeSourceOffline {
		t.Errorf("error %v", err)
	}
	if asked < 2 || time.Since(began) > 10*time.Second {
		t.Errorf("asked %d times in %s", asked, time.Since(began))
	}
}

// A shop that asks for patience again and again is asked ever less often, and in
// the end left alone.
func TestClient_JSON_storm(t *testing.T) {
	t.Parallel()
	asked := 0
	c, naps := ask(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(http.StatusTooManyRequests)
	})
	if _, err := c.JSON(t.Context(), rest.Request{Path: "x"}, nil); app.CodeOf(err) != app.CodeSourceBusy {
		t.Errorf("error %v", err)
	}
	var waited time.Duration
	for i, d := range naps() {
		if i > 0 && d < naps()[i-1] {
			t.Errorf("naps %v", naps())
		}
		waited += d
	}
	if asked > 25 || waited < 30*time.Second {
		t.Errorf("asked %d times, waited %s", asked, waited)
	}
}
