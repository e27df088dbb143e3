//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
)

// What was promised.
const (
	aimFirst    = 1.2  // of the time that limits force
	aimRestore  = 1.3  // of the time that limits force
	aimDeleted  = 900. // seconds
	aimQuarter  = 5.   // seconds
	aimUploaded = 1.   // MB
	aimMemory   = 250. // MB
	changesIn15 = 200
	spoilt      = 400
	deleted     = 1000
)

// online is a fake shop in a process of its own, and a guard that looks after it.
type online struct {
	*kvart
	name  string
	where where
	cmd   *exec.Cmd
	in    io.WriteCloser
}

// online starts a shop, in a process of its own so that its memory is not the
// guard's, and sets up a guard for it. The guard reaches a shop that lives on the
// internet through a proxy, as in an office that has one.
func (b *bench) online(ctx context.Context, part, name string, source func(where) ([]string, error)) (_ *online, err error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	b.say("%s: filling a shop", name)
	s := &online{name: name, cmd: command(ctx, exe, "--fake", part, "--scale", fmt.Sprint(b.scale))}
	s.cmd.Stderr = b.log
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		s.in, err = s.cmd.StdinPipe()
	}
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start shop: %w", err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &s.where)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the shop does not start: %w", err), s.close())
	}
	if s.where.Proxy != "" {
		b.env = []string{"HTTPS_PROXY=" + s.where.Proxy, "SSL_CERT_FILE=" + s.where.CA}
		defer func() { b.env = nil }()
	}
	args, err := source(s.where)
	if err == nil {
		s.kvart, err = b.kvart(ctx, part+"-kvart", args...)
	}
	if err == nil {
		err = s.watch(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *online) close() error {
	var err error
	if s.kvart != nil {
		err = s.rest()
	}
	err = errors.Join(err, s.in.Close())
	if werr := s.cmd.Wait(); werr != nil && s.cmd.ProcessState.ExitCode() > 0 {
		err = errors.Join(err, fmt.Errorf("shop: %w", werr))
	}
	return err
}

// tell has something happen in the shop.
func (s *online) tell(ctx context.Context, what string, n int) error {
	return s.speak(ctx, http.MethodPost, fmt.Sprintf("%s?n=%d", what, n), nil)
}

func (s *online) tally(ctx context.Context) (t tally, err error) {
	err = s.speak(ctx, http.MethodGet, "tally", &t)
	return t, err
}

func (s *online) speak(ctx context.Context, method, what string, out any) (err error) {
	req, err := http.NewRequestWithContext(ctx, method, s.where.Control+"/"+what, nil)
	if err != nil {
		return fmt.Errorf("ask shop: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask shop: %w", err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", resp.StatusCode, body)
	}
	if err == nil && out != nil {
		err = json.Unmarshal(body, out)
	}
	if err != nil {
		return fmt.Errorf("ask shop %s: %w", what, err)
	}
	return nil
}

// secret writes a file with a secret.
func (b *bench) secret(name, value string) (string, error) {
	at := filepath.Join(b.dir, name)
	if err := os.WriteFile(at, []byte(value+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write secret: %w", err)
	}
	return at, nil
}

// first measures the first capture.
func (s *online) first(ctx context.Context) error {
	busy := processor(s.guard.Process.Pid)
	c, _, err := s.backup(ctx, "done")
	if err != nil {
		return err
	}
	busy = processor(s.guard.Process.Pid) - busy
	t, err := s.tally(ctx)
	if err != nil {
		return err
	}
	s.b.say("%s: first capture of %d records: %.0f s, %d requests, %d refused, %s", s.name, t.Records, c.seconds, t.Requests, t.Refused, t.Detail)
	s.b.table.against(s.name+", first capture, time", inSeconds, "limits", c.seconds, t.Forced, aimFirst)
	s.b.table.note(s.name+", first capture, processor time of it", inSeconds, "limits", busy, t.Forced)
	s.b.table.alone(fmt.Sprintf("%s, first capture of %d records, peak memory", s.name, t.Records), inMB, mb(c.memory), aimMemory)
	return nil
}

// quarter measures a quarter of an hour in which things changed.
func (s *online) quarter(ctx context.Context, requests float64) error {
	if err := s.tell(ctx, "quarter", changesIn15); err != nil {
		return err
	}
	if err := s.tell(ctx, "forget", 0); err != nil {
		return err
	}
	busy := processor(s.guard.Process.Pid)
	c, _, err := s.backup(ctx, "done")
	if err != nil {
		return err
	}
	busy = processor(s.guard.Process.Pid) - busy
	t, err := s.tally(ctx)
	if err != nil {
		return err
	}
	s.b.say("%s: quarter: %.1f s, %d requests, %s", s.name, c.seconds, t.Requests, t.Detail)
	what := fmt.Sprintf("%s, quarter of %d changes, ", s.name, changesIn15)
	s.b.table.alone(what+"requests", inAll, float64(t.Requests), requests)
	s.b.table.alone(what+"time", inSeconds, c.seconds, aimQuarter)
	s.b.table.alone(what+"processor time of it", inSeconds, busy, aimQuarter)
	s.b.table.alone(what+"stored", inMB, mb(c.stored), aimUploaded)
	s.b.table.alone(what+"peak memory", inMB, mb(c.memory), aimMemory)
	return nil
}

// restored brings the newest point back, and fails unless all is as it was.
func (s *online) restored(ctx context.Context) (cost, tally, error) {
	if err := s.tell(ctx, "forget", 0); err != nil {
		return cost{}, tally{}, err
	}
	forgetPeak(s.guard.Process.Pid, s.b.log)
	c, err := s.restore(ctx)
	if err != nil {
		return c, tally{}, err
	}
	c.memory = peakOf(s.guard.Process.Pid)
	t, err := s.tally(ctx)
	if err != nil {
		return c, t, err
	}
	var wrong int
	if err := s.speak(ctx, http.MethodGet, "wrong", &wrong); err != nil {
		return c, t, err
	}
	if wrong > 0 {
		return c, t, fmt.Errorf("%d products are not as they were", wrong)
	}
	return c, t, nil
}

// shopify measures a shop of Shopify's, on its smallest plan.
func (b *bench) shopify(ctx context.Context) (err error) {
	s, err := b.online(ctx, partShopify, "Shopify", func(where) ([]string, error) {
		key, err := b.secret("shopify-secret", "secret")
		return []string{
			"shopify", "--name", "Butiken", "--set", "shop=" + shopHost, "--set", "client_id=client", "--secret", "client_secret=" + key,
			"--set", "restore_client_id=client", "--secret", "restore_client_secret=" + key,
		}, err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.first(ctx); err != nil {
		return err
	}
	if err := s.quarter(ctx, 10); err != nil {
		return err
	}
	n := max(1, int(spoilt*b.scale))
	if err := s.tell(ctx, "spoil", n); err != nil {
		return err
	}
	c, t, err := s.restored(ctx)
	if err != nil {
		return err
	}
	b.say("Shopify: restored %d products: %.0f s, %.0f with the plan, %.0f points, %s", n, c.inRun, c.seconds, t.Points, t.Detail)
	// the whole shop is read for the safety point, then each product is written
	writes := max(0, 10*float64(n)-t.Bucket) / t.Rate
	b.table.against(fmt.Sprintf("Shopify, restore of %d wrong prices, time", n), inSeconds, "limits", c.inRun, t.Forced+writes, aimRestore)
	if _, _, err := s.backup(ctx, "done"); err != nil {
		return err
	}
	n = max(1, int(deleted*b.scale))
	if err := s.tell(ctx, "remove", n); err != nil {
		return err
	}
	if c, t, err = s.restored(ctx); err != nil {
		return err
	}
	b.say("Shopify: made %d products again: %.0f s, %.0f with the plan, %.0f points, %s", n, c.inRun, c.seconds, t.Points, t.Detail)
	what := fmt.Sprintf("Shopify, %d deleted products of 5 variants, ", n)
	b.table.alone(what+"time", inSeconds, c.inRun, aimDeleted)
	b.table.alone(what+"peak memory", inMB, mb(c.memory), aimMemory)
	return nil
}

// woo measures a shop of WooCommerce's at a web hotel.
func (b *bench) woo(ctx context.Context) (err error) {
	s, err := b.online(ctx, partWoo, "WooCommerce", func(at where) ([]string, error) {
		key, err := b.secret("woo-password", "abcd EFGH ijkl MNOP qrst UVWX")
		return []string{"woocommerce", "--name", "Webben", "--set", "url=" + at.URL, "--set", "user=kvart", "--secret", "password=" + key}, err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.first(ctx); err != nil {
		return err
	}
	if err := s.tell(ctx, "settle", 0); err != nil {
		return err
	}
	if _, _, err := s.backup(ctx, "done"); err != nil {
		b.say("WooCommerce: nothing was left: %v", err)
	}
	if err := s.tell(ctx, "settle", 1); err != nil {
		return err
	}
	if err := s.quarter(ctx, 25); err != nil {
		return err
	}
	n := max(1, int(spoilt*b.scale))
	if err := s.tell(ctx, "spoil", n); err != nil {
		return err
	}
	c, t, err := s.restored(ctx)
	if err != nil {
		return err
	}
	b.say("WooCommerce: restored %d products: %.0f s, %.0f with the plan, %d requests, %d refused, %s", n, c.inRun, c.seconds, t.Requests, t.Refused, t.Detail)
	b.table.against(fmt.Sprintf("WooCommerce, restore of %d wrong prices, time", n), inSeconds, "limits", c.inRun, t.Forced+float64(n)/wooUpdates/wooBatches, aimRestore)
	return nil
}
