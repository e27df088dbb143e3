//go:build unix

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// latency is from a question to the first byte of its answer.
const latency = 80 * time.Millisecond

// fakeShop is a shop in a process of its own, as the benchmark speaks of it.
type fakeShop interface {
	// listen starts to answer the guard and tells where.
	listen(dir string) (where, error)
	// tally is what happened since the last forget.
	tally() tally
	forget()
	// Changes to the shop.
	quarter(changes int) error
	spoil(products int) error
	remove(products int) error
	// wrong counts products that are not as they were made.
	wrong() int
	settle(done bool)
}

// where is how a fake shop is reached; what does not apply is empty.
type where struct {
	URL     string `json:"url"`
	Proxy   string `json:"proxy"` // the way to a shop on the internet
	CA      string `json:"ca"`    // file of who vouches for it
	Control string `json:"control"`
}

// tally is what a shop counted.
type tally struct {
	Requests int     `json:"requests"`
	Refused  int     `json:"refused"` // asked for patience
	Records  int     `json:"records"` // in the shop
	Forced   float64 `json:"forced"`  // seconds that reading all of it takes at the least
	Points   float64 `json:"points"`  // of Shopify's that were spent
	Rate     float64 `json:"rate"`    // points a second
	Bucket   float64 `json:"bucket"`
	Detail   string  `json:"detail"`
}

// beFake is a fake shop until its standard input ends. It first says where it is.
func beFake(ctx context.Context, kind string, scale float64, in io.Reader, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "kvart-fake-")
	if err != nil {
		return fmt.Errorf("make room: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var shop fakeShop
	switch kind {
	case partShopify:
		shop, err = newFakeShopify(scale)
	case partWoo:
		shop, err = newFakeWoo(scale)
	default:
		err = fmt.Errorf("no fake of %q", kind)
	}
	if err != nil {
		return err
	}
	at, err := shop.listen(dir)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	at.Control = "http://" + l.Addr().String()
	server := &http.Server{Handler: control(shop), ReadHeaderTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) }) // ends with the listener
	if err := json.NewEncoder(out).Encode(at); err != nil {
		return fmt.Errorf("say where: %w", err)
	}
	var ended sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	ended.Go(func() { _, _ = io.Copy(io.Discard, in); stop() }) // whoever started it is gone then
	<-ctx.Done()
	err = server.Close()
	serving.Wait()
	return err
}

// control lets the benchmark change the shop and read its counts.
func control(shop fakeShop) http.Handler {
	mux := http.NewServeMux()
	do := func(path string, fn func(n int) error) {
		mux.HandleFunc("POST /"+path, func(w http.ResponseWriter, r *http.Request) {
			n, err := strconv.Atoi(r.URL.Query().Get("n"))
			if err == nil {
				err = fn(n)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	do("quarter", shop.quarter)
	do("spoil", shop.spoil)
	do("remove", shop.remove)
	do("forget", func(int) error { shop.forget(); return nil })
	do("settle", func(n int) error { shop.settle(n == 0); return nil })
	mux.HandleFunc("GET /tally", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(shop.tally()) // who asked may be gone
	})
	mux.HandleFunc("GET /wrong", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(shop.wrong()) // who asked may be gone
	})
	return mux
}

// later answers after the latency, and counts.
func later(next http.Handler, count func(*http.Request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count(r)
		time.Sleep(latency)
		next.ServeHTTP(w, r)
	})
}

// tunnel is a proxy that leads every host to one handler, under a certificate of
// its own: the guard then speaks to a shop on the internet as it always does.
func tunnel(dir, host string, handler http.Handler) (where, error) {
	cert, err := vouch(filepath.Join(dir, "ca.pem"), host)
	if err != nil {
		return where{}, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return where{}, fmt.Errorf("listen: %w", err)
	}
	inner := &handed{conns: make(chan net.Conn), addr: l.Addr()}
	shop := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	proxy := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, ok := w.(http.Hijacker)
		if r.Method != http.MethodConnect || !ok {
			http.Error(w, "not here", http.StatusBadRequest)
			return
		}
		conn, _, err := h.Hijack()
		if err != nil {
			return
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err == nil {
			inner.conns <- conn
		}
	})}
	var serving sync.WaitGroup // until the process ends
	serving.Go(func() {
		_ = shop.Serve(tls.NewListener(inner, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}))
	})
	serving.Go(func() { _ = proxy.Serve(l) })
	return where{Proxy: "http://" + l.Addr().String(), CA: filepath.Join(dir, "ca.pem")}, nil
}

// handed is a listener of connections that come another way.
type handed struct {
	conns chan net.Conn
	addr  net.Addr
}

func (h *handed) Accept() (net.Conn, error) { return <-h.conns, nil }
func (h *handed) Close() error              { return nil }
func (h *handed) Addr() net.Addr            { return h.addr }

// vouch makes a certificate for a host and writes who signed it, itself, to file.
func vouch(file, host string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make key: %w", err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kvart-bench"}, DNSNames: []string{host}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err == nil {
		err = os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	}
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
