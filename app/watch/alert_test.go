package watch

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kvart/app"
)

func secrets(m map[string]string) func(string) app.Secret {
	return func(key string) app.Secret { return app.NewSecret(m[key]) }
}

func sampleAlert() app.Alert {
	return app.Alert{
		Cause: "storefront", State: app.AlertRaised, Shop: "Björnbär", Title: "Kunderna når inte din butik", Text: "kopp.se <svarar> & inte.", At: time.Unix(1_795_000_000, 0).UTC(), Alarm: true,
	}
}

func TestSend_webhooks(t *testing.T) {
	t.Parallel()
	var got struct {
		sync.Mutex
		path, token string
		doc         map[string]any
	}
	status := http.StatusOK
	srv, w := startFront(t, time.Now().Add(time.Hour), func(rw http.ResponseWriter, r *http.Request) {
		got.Lock()
		defer got.Unlock()
		got.path, got.token, got.doc = r.Method+" "+r.URL.Path, r.Header.Get("Authorization"), nil
		b, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(b, &got.doc)
		rw.WriteHeader(status)
	})
	for _, c := range []struct {
		kind app.ChannelKind
		url  string
		path string
		doc  map[string]any
	}{
		{app.ChannelSlack, srv.URL + "/services/T/B", "POST /services/T/B", map[string]any{"text": "*Kunderna når inte din butik*\nkopp.se &lt;svarar&gt; &amp; inte."}},
		{app.ChannelNtfy, srv.URL + "/min-butik", "POST /", map[string]any{"topic": "min-butik", "title": "Kunderna når inte din butik"}},
		{app.ChannelHook, srv.URL + "/hook?key=1", "POST /hook", map[string]any{"cause": "storefront", "state": "raised", "shop": "Björnbär", "alarm": true}},
	} {
		ch, err := w.CheckChannel(app.Channel{Name: "x", Kind: c.kind}, secrets(map[string]string{"url": c.url}))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(ch.Where, "/") || ch.Where == "" {
			t.Errorf("%s shows %q", c.kind, ch.Where)
		}
		if err := w.Send(t.Context(), ch, secrets(map[string]string{"url": c.url, "token": "tk_1"}), sampleAlert()); err != nil {
			t.Errorf("%s: %v", c.kind, err)
		}
		got.Lock()
		if got.path != c.path || (got.token == "Bearer tk_1") != (c.kind == app.ChannelNtfy) {
			t.Errorf("%s: asked %s, token %q", c.kind, got.path, got.token)
		}
		for k, v := range c.doc {
			if got.doc[k] != v {
				t.Errorf("%s: %s is %v, want %v", c.kind, k, got.doc[k], v)
			}
		}
		got.Unlock()
	}
	if err := w.Beat(t.Context(), app.NewSecret(srv.URL+"/ping/hemlig")); err != nil || got.path != "GET /ping/hemlig" {
		t.Errorf("heartbeat: %v, %s", err, got.path)
	}
	status = http.StatusNotFound
	err := w.Beat(t.Context(), app.NewSecret(srv.URL+"/ping/hemlig"))
	if app.CodeOf(err) != app.CodeAlertRefused || strings.Contains(err.Error(), "hemlig") {
		t.Errorf("refused: %v", err)
	}
	srv.Close()
	err = w.Beat(t.Context(), app.NewSecret(srv.URL+"/ping/hemlig"))
	if app.CodeOf(err) != app.CodeAlertOffline || strings.Contains(err.Error(), "hemlig") {
		t.Errorf("off line: %v", err)
	}
}

func TestCheckChannel_refusesWhatCanNotWork(t *testing.T) {
	t.Parallel()
	w := New(Options{})
	for name, c := range map[string]struct {
		ch  app.Channel
		url string
	}{
		"no name":          {app.Channel{Kind: app.ChannelHook}, "https://a.example/x"},
		"a dotted name":    {app.Channel{Name: "a.b", Kind: app.ChannelHook}, "https://a.example/x"},
		"no kind":          {app.Channel{Name: "a", Kind: "pigeon"}, ""},
		"no address":       {app.Channel{Name: "a", Kind: app.ChannelSlack}, ""},
		"in the clear":     {app.Channel{Name: "a", Kind: app.ChannelHook}, "http://a.example/x"},
		"no topic":         {app.Channel{Name: "a", Kind: app.ChannelNtfy}, "https://ntfy.sh/"},
		"no mail server":   {app.Channel{Name: "a", Kind: app.ChannelMail, From: "a@b.se", To: []string{"a@b.se"}}, ""},
		"no receiver":      {app.Channel{Name: "a", Kind: app.ChannelMail, Host: "b.se", From: "a@b.se"}, ""},
		"a bad receiver":   {app.Channel{Name: "a", Kind: app.ChannelMail, Host: "b.se", From: "a@b.se", To: []string{"a@b.se\r\nBcc: c@d.se"}}, ""},
		"no encryption":    {app.Channel{Name: "a", Kind: app.ChannelMail, Host: "b.se", From: "a@b.se", To: []string{"a@b.se"}, TLS: "none"}, ""},
		"an unusable port": {app.Channel{Name: "a", Kind: app.ChannelMail, Host: "b.se", Port: 70000, From: "a@b.se", To: []string{"a@b.se"}}, ""},
	} {
		if _, err := w.CheckChannel(c.ch, secrets(map[string]string{"url": c.url})); app.CodeOf(err) != app.CodeUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.CheckChannel(app.Channel{Name: "hem", Kind: app.ChannelHook}, secrets(map[string]string{"url": "http://192.168.1.5:8123/api"})); err != nil {
		t.Errorf("the own network: %v", err)
	}
}

// mailServer is a mail server that keeps what it is sent.
type mailServer struct {
	t    *testing.T
	cert tls.Certificate
	// noTLS offers no encryption, refuse takes no receiver, implicit encrypts at
	// once, wrong is of the password.
	noTLS, refuse, wrong, implicit bool

	ln   net.Listener
	mu   sync.Mutex
	auth string
	mail []string
}

func startMail(t *testing.T, m *mailServer) (*Watch, app.Channel) {
	t.Helper()
	cert, pool := certify(t, time.Now().Add(time.Hour))
	m.t, m.cert = t, cert
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if m.implicit {
		ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{cert}})
	}
	m.ln = ln
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { m.talk(c) })
		}
	})
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	port := 0
	_, _ = fmt.Sscan(ln.Addr().String()[strings.LastIndexByte(ln.Addr().String(), ':')+1:], &port)
	ch := app.Channel{Name: "post", Kind: app.ChannelMail, Host: "127.0.0.1", Port: port, User: "anna@kopp.se", To: []string{"anna@kopp.se"}}
	if m.implicit {
		ch.TLS = "tls"
	}
	return New(Options{Roots: pool}), ch
}

func (m *mailServer) talk(c net.Conn) {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	in := bufio.NewReader(c)
	say := func(s string) { fmt.Fprint(c, s+"\r\n") }
	say("220 mail.kopp.se ESMTP")
	secure := m.implicit
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); verb {
		case "EHLO":
			say("250-mail.kopp.se")
			if !secure && !m.noTLS {
				say("250-STARTTLS")
			}
			say("250 AUTH PLAIN LOGIN")
		case "STARTTLS":
			say("220 go on")
			tc := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{m.cert}})
			c, in, secure = tc, bufio.NewReader(tc), true
			say = func(s string) { fmt.Fprint(tc, s+"\r\n") }
		case "AUTH":
			m.mu.Lock()
			m.auth = strings.TrimSpace(line)
			m.mu.Unlock()
			if !secure {
				m.t.Error("a password in the clear")
			}
			if m.wrong {
				say("535 5.7.8 no")
				continue
			}
			say("235 ok")
		case "RCPT":
			if m.refuse {
				say("550 5.7.1 no relaying")
				continue
			}
			say("250 ok")
		case "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				l, err := in.ReadString('\n')
				if err != nil || l == ".\r\n" {
					break
				}
				b.WriteString(l)
			}
			m.mu.Lock()
			m.mail = append(m.mail, b.String())
			m.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func TestSend_mail(t *testing.T) {
	t.Parallel()
	for _, implicit := range []bool{false, true} {
		m := &mailServer{implicit: implicit}
		w, ch := startMail(t, m)
		ch, err := w.CheckChannel(ch, secrets(nil))
		if err != nil {
			t.Fatal(err)
		}
		a := sampleAlert()
		a.Title = "Två\r\nBcc: annan@example.com"
		if err := w.Send(t.Context(), ch, secrets(map[string]string{"password": "hemligt"}), a); err != nil {
			t.Fatal(err)
		}
		m.mu.Lock()
		if len(m.mail) != 1 || !strings.HasPrefix(m.auth, "AUTH ") {
			t.Fatalf("mail %q, auth %q", m.mail, m.auth)
		}
		head, _, _ := strings.Cut(m.mail[0], "\r\n\r\n")
		if strings.Contains(head, "\r\nBcc:") || !strings.Contains(head, "Subject: ") || !strings.Contains(head, "anna@kopp.se") || strings.Contains(m.mail[0], "hemligt") {
			t.Errorf("head:\n%s", head)
		}
		m.mu.Unlock()
	}
}

func TestSend_mailRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server *mailServer
		reason string
	}{
		"in the clear": {&mailServer{noTLS: true}, "tls"},
		"no receiver":  {&mailServer{refuse: true}, "refused"},
		"a password":   {&mailServer{wrong: true}, "password"},
	} {
		w, ch := startMail(t, c.server)
		ch, err := w.CheckChannel(ch, secrets(nil))
		if err != nil {
			t.Fatal(err)
		}
		err = w.Send(t.Context(), ch, secrets(map[string]string{"password": "hemligt"}), sampleAlert())
		if app.CodeOf(err) != app.CodeAlertRefused || app.AsError(err).Args["reason"] != c.reason || strings.Contains(err.Error(), "hemligt") {
			t.Errorf("%s: %v %v", name, err, app.AsError(err).Args)
		}
	}
	m := &mailServer{}
	w, ch := startMail(t, m)
	ch.From = ch.User
	if err := New(Options{}).Send(t.Context(), ch, secrets(nil), sampleAlert()); app.CodeOf(err) != app.CodeAlertRefused {
		t.Errorf("a stranger's certificate: %v", err)
	}
	_ = m.ln.Close()
	if err := w.Send(t.Context(), ch, secrets(nil), sampleAlert()); app.CodeOf(err) != app.CodeAlertOffline {
		t.Errorf("nobody there: %v", err)
	}
	// Its port holds 535, a server's word for a wrong password.
	nobody := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 35353}, Err: syscall.ECONNREFUSED}
	if err := mailError(fmt.Errorf("dial failed: %w", nobody), "AUTH.kopp.se"); app.CodeOf(err) != app.CodeAlertOffline {
		t.Errorf("nobody at port 35353: %v", err)
	}
}
