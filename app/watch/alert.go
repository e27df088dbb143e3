package watch

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"kvart/app"
)

// CheckChannel refuses a channel that can't work, and returns it as it is to be
// kept. secret returns one of its secrets.
func (w *Watch) CheckChannel(c app.Channel, secret func(key string) app.Secret) (app.Channel, error) {
	const op = "check channel"
	if c.Name == "" || strings.ContainsAny(c.Name, "./\\\r\n") || len(c.Name) > 60 {
		return c, app.Errorf(app.CodeUsage, op, "a channel needs a name without dots and slashes").With("field", "name")
	}
	switch c.Kind {
	case app.ChannelMail:
		return w.checkMail(c)
	case app.ChannelNtfy, app.ChannelSlack, app.ChannelHook:
		u, err := w.hookURL(secret("url").Reveal())
		if err != nil {
			return c, err
		}
		if c.Kind == app.ChannelNtfy && strings.Trim(u.Path, "/") == "" {
			return c, app.Errorf(app.CodeUsage, op, "an ntfy address ends in its topic").With("field", "url")
		}
		return app.Channel{Name: c.Name, Kind: c.Kind, Where: u.Host}, nil
	}
	var kinds []string
	for _, k := range app.ChannelKinds() {
		kinds = append(kinds, string(k))
	}
	return c, app.Errorf(app.CodeUsage, op, "no kind %q", c.Kind).With("field", "kind").With("choices", strings.Join(kinds, ", "))
}

// hookURL reads the address of a webhook. Its error never holds the address,
// which is a secret.
func (w *Watch) hookURL(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, app.Errorf(app.CodeUsage, "check address", "not an https address").With("field", "url")
	}
	if u.Scheme == "http" && !slices.Contains(w.o.PlainHosts, u.Host) && !isPrivate(net.JoinHostPort(u.Hostname(), "80")) {
		return nil, app.Errorf(app.CodeUsage, "check address", "an address on the internet begins with https://").With("field", "url")
	}
	if u.Scheme == "http" && net.ParseIP(u.Hostname()) == nil && !slices.Contains(w.o.PlainHosts, u.Host) {
		return nil, app.Errorf(app.CodeUsage, "check address", "without https only an address in the own network will do").With("field", "url")
	}
	return u, nil
}

// Witness returns a host and port that a channel or a heartbeat uses anyway: it
// can show that this computer's connection is alive. "" for none.
func (w *Watch) Witness(c app.Channel, address app.Secret) string {
	if c.Kind == app.ChannelMail {
		return net.JoinHostPort(c.Host, strconv.Itoa(mailPort(c)))
	}
	u, err := w.hookURL(address.Reveal())
	if err != nil || isPrivate(net.JoinHostPort(u.Hostname(), "0")) && net.ParseIP(u.Hostname()) != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// Send delivers an alert by a channel.
func (w *Watch) Send(ctx context.Context, c app.Channel, secret func(key string) app.Secret, a app.Alert) error {
	ctx, cancel := context.WithTimeout(ctx, w.o.Timeout)
	defer cancel()
	if c.Kind == app.ChannelMail {
		return w.mail(ctx, c, secret("password"), a)
	}
	u, err := w.hookURL(secret("url").Reveal())
	if err != nil {
		return err
	}
	doc, header := any(a), http.Header{}
	switch c.Kind {
	case app.ChannelSlack:
		doc = map[string]string{"text": "*" + slackText(a.Title) + "*\n" + slackText(a.Text)}
	case app.ChannelNtfy:
		topic := u.Path[strings.LastIndexByte(strings.TrimRight(u.Path, "/"), '/')+1:]
		u.Path = strings.TrimSuffix(u.Path, topic)
		doc = ntfyDoc(strings.Trim(topic, "/"), a)
		if t := secret("token"); !t.IsZero() {
			header.Set("Authorization", "Bearer "+t.Reveal())
		}
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("write alert: %w", err)
	}
	return w.post(ctx, http.MethodPost, u, header, body)
}

func slackText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func ntfyDoc(topic string, a app.Alert) map[string]any {
	priority, tag := 3, "white_check_mark"
	switch {
	case a.State == app.AlertSolved:
	case a.Alarm:
		priority, tag = 5, "rotating_light"
	default:
		tag = "warning"
	}
	return map[string]any{"topic": topic, "title": a.Title, "message": a.Text, "priority": priority, "tags": []string{tag}}
}

// Beat calls a heartbeat's address.
func (w *Watch) Beat(ctx context.Context, address app.Secret) error {
	ctx, cancel := context.WithTimeout(ctx, w.o.Timeout/2)
	defer cancel()
	u, err := w.hookURL(address.Reveal())
	if err != nil {
		return err
	}
	return w.post(ctx, http.MethodGet, u, http.Header{}, nil)
}

// CheckBeat refuses an address that can't be called, and returns its host.
func (w *Watch) CheckBeat(address app.Secret) (host string, err error) {
	u, err := w.hookURL(address.Reveal())
	if err != nil {
		return "", err
	}
	return u.Host, nil
}

// post sends one request and wants a 2xx. Errors name the host and never the
// rest of the address.
func (w *Watch) post(ctx context.Context, method string, u *url.URL, header http.Header, body []byte) error {
	const op = "send alert"
	tr := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, MaxResponseHeaderBytes: headBound, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{RootCAs: w.o.Roots, MinVersion: tls.VersionTLS12},
	}
	defer tr.CloseIdleConnections()
	client := http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return app.Errorf(app.CodeUsage, op, "not an address").With("field", "url")
	}
	for k, v := range header {
		r.Header[k] = v
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("User-Agent", "Kvart/"+app.Version)
	res, err := client.Do(r)
	if err != nil {
		return app.Errorf(app.CodeAlertOffline, op, "%w", hiding(err)).With("where", u.Host)
	}
	defer res.Body.Close()                                     //nolint:errcheck // nothing in it is needed
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 4096)) // nor how it ends
	if res.StatusCode/100 != 2 {
		return app.Errorf(app.CodeAlertRefused, op, "status %d", res.StatusCode).With("where", u.Host).With("reason", strconv.Itoa(res.StatusCode))
	}
	return nil
}

// hiding takes the address out of an error of the HTTP client's.
func hiding(err error) error {
	if e, ok := err.(*url.Error); ok { //nolint:errorlint // the client's own, never wrapped
		return e.Err
	}
	return err
}
