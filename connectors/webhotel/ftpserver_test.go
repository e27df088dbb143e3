package webhotel

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kvart/app"
)

// ftpPeer is an FTP server of one folder, for the user "shop", with the habits
// a test gives it.
type ftpPeer struct {
	dir string
	l   net.Listener
	tls *tls.Config

	plain    bool          // no TLS at all
	implicit bool          // TLS from the first byte
	reuse    bool          // data connections must go on with the session's TLS
	mlsd     bool          // exact listings
	hidden   bool          // links look like what they lead to
	noTimes  bool          // neither MDTM nor MFMT
	noREST   bool          //
	zone     time.Duration // what its LIST is ahead by
	most     int64         // connections at once
	full     bool          // takes nothing more
	noSize   bool          // no SIZE
	keeps    atomic.Int64  // bytes of every file, if it does not keep all and says it did
	lines    []string      // more lines of its listings
	cutAfter int64
	cuts     atomic.Int64 // transfers still to be cut
	busy     atomic.Int64 // transfers still to be put off
	open     atomic.Int64
	refused  atomic.Int64
	retrs    atomic.Int64

	mu    sync.Mutex
	conns map[net.Conn]bool
	work  sync.WaitGroup
}

// certificate makes one for 127.0.0.1.
func certificate(t *testing.T) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hotel"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP("127.0.0.1")}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign | x509.KeyUsageKeyEncipherment,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// serveFTP starts a server after habits has set it up.
func serveFTP(t *testing.T, dir string, habits func(*ftpPeer)) (*ftpPeer, app.Access) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cert, text := certificate(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s := &ftpPeer{dir: dir, l: l, tls: &tls.Config{Certificates: []tls.Certificate{cert}}, mlsd: true, most: 100, conns: map[net.Conn]bool{}}
	if habits != nil {
		habits(s)
	}
	s.work.Go(s.accept)
	t.Cleanup(func() {
		_ = l.Close()
		s.mu.Lock()
		for c := range s.conns {
			_ = c.Close()
		}
		s.mu.Unlock()
		s.work.Wait()
	})
	a := app.Access{
		Source: app.Source{ID: "butiken", Name: "Butiken", Kind: Kind, Settings: map[string]string{
			fieldProtocol: protoFTPS, fieldHost: "127.0.0.1", fieldPort: strconv.Itoa(l.Addr().(*net.TCPAddr).Port), fieldUser: "shop",
			fieldPath: "/site", fieldCA: ca,
		}},
		Secrets: app.Secrets{fieldPassword: app.NewSecret(password)},
	}
	if s.plain {
		a.Source.Settings[fieldProtocol], a.Source.Settings[fieldPlain] = protoFTP, "true"
	}
	if s.implicit {
		a.Source.Settings[fieldTLS] = tlsImplicit
	}
	return s, a
}

func (s *ftpPeer) accept() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = true
		s.mu.Unlock()
		s.work.Go(func() {
			defer s.open.Add(-1)
			defer c.Close()
			if s.open.Add(1) > s.most {
				s.refused.Add(1)
				fmt.Fprint(c, "421 There are too many connections from your internet address.\r\n")
				return
			}
			p := &ftpTalk{s: s, conn: c, cwd: "/"}
			if s.implicit {
				p.conn = tls.Server(c, s.tls)
			}
			p.talk()
		})
	}
}

// ftpTalk is one session.
type ftpTalk struct {
	s       *ftpPeer
	conn    net.Conn
	in      *bufio.Reader
	cwd     string
	secret  bool
	private bool // PROT P
	user    string
	from    string
	rest    int64
	data    net.Listener
}

func (p *ftpTalk) say(format string, args ...any) { fmt.Fprintf(p.conn, format+"\r\n", args...) }

func (p *ftpTalk) at(name string) string {
	if !strings.HasPrefix(name, "/") {
		name = p.cwd + "/" + name
	}
	return filepath.Join(p.s.dir, filepath.FromSlash(filepath.Clean("/"+name)))
}

func (p *ftpTalk) talk() {
	p.in = bufio.NewReader(p.conn)
	p.say("220 hotel")
	for {
		line, err := p.in.ReadString('\n')
		if err != nil {
			return
		}
		cmd, arg, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if !p.answer(strings.ToUpper(cmd), arg) {
			return
		}
	}
}

func (p *ftpTalk) answer(cmd, arg string) bool {
	switch cmd {
	case "AUTH":
		if p.s.plain {
			p.say("500 what?")
			break
		}
		p.say("234 go on")
		p.conn = tls.Server(p.conn, p.s.tls)
		p.in = bufio.NewReader(p.conn)
	case "USER":
		p.user = arg
		p.say("331 password")
	case "PASS":
		if p.user != "shop" || arg != password {
			p.say("530 Login incorrect.")
			break
		}
		p.secret = true
		p.say("230 welcome")
	case "QUIT":
		return false
	default:
		if !p.secret {
			p.say("530 Please log in.")
			break
		}
		p.work(cmd, arg)
	}
	return true
}

func (p *ftpTalk) work(cmd, arg string) {
	switch cmd {
	case "FEAT":
		p.say("211-Features:\r\n EPSV\r\n UTF8")
		if p.s.mlsd {
			p.say(" MLST type*;size*;modify*;UNIX.mode*;unique*;")
		}
		if !p.s.noTimes {
			p.say(" MDTM\r\n MFMT")
		}
		p.say("211 End")
	case "OPTS", "TYPE", "PBSZ":
		p.say("200 ok")
	case "PROT":
		p.private = arg == "P"
		p.say("200 ok")
	case "PWD":
		p.say(`257 "/" is it`)
	case "REST":
		if p.s.noREST {
			p.say("502 no")
			break
		}
		p.rest, _ = strconv.ParseInt(arg, 10, 64)
		p.say("350 ok")
	case "EPSV":
		p.passive()
	case "STOR":
		if p.s.full {
			p.say("452 No space left on device")
			break
		}
		p.transfer(cmd, arg)
	case "LIST", "MLSD", "RETR":
		p.transfer(cmd, arg)
	default:
		p.file(cmd, arg)
	}
}

// file answers commands about single files.
func (p *ftpTalk) file(cmd, arg string) {
	var err error
	ok := "250 done"
	switch cmd {
	case "CWD":
		var fi fs.FileInfo
		if fi, err = os.Stat(p.at(arg)); err == nil && !fi.IsDir() {
			err = errors.New("no folder")
		}
		if err == nil {
			_, err = os.ReadDir(p.at(arg))
		}
		if err == nil {
			p.cwd = arg
		}
	case "SIZE", "MDTM":
		var fi fs.FileInfo
		if fi, err = os.Stat(p.at(arg)); err == nil {
			ok = fmt.Sprintf("213 %d", fi.Size())
			if cmd == "MDTM" {
				ok = "213 " + fi.ModTime().UTC().Format(factTime)
			}
		}
	case "MFMT":
		when, name, _ := strings.Cut(arg, " ")
		var at time.Time
		if at, err = time.Parse(factTime, when); err == nil {
			err = os.Chtimes(p.at(name), at, at)
		}
		ok = "213 done"
	case "DELE", "RMD":
		err = os.Remove(p.at(arg))
	case "MKD":
		err, ok = os.Mkdir(p.at(arg), 0o755), `257 "made"`
	case "RNFR":
		_, err = os.Lstat(p.at(arg))
		p.from, ok = arg, "350 and to?"
	case "RNTO":
		err = os.Rename(p.at(p.from), p.at(arg))
	case "SITE":
		words := strings.SplitN(arg, " ", 3)
		mode, parseErr := strconv.ParseUint(words[1], 8, 32)
		if err = parseErr; err == nil && words[0] == "CHMOD" {
			err = os.Chmod(p.at(words[2]), fs.FileMode(mode))
		}
	default:
		p.say("502 not here")
		return
	}
	if p.s.noTimes && (cmd == "MDTM" || cmd == "MFMT") || p.s.noSize && cmd == "SIZE" {
		ok, err = "502 not here", nil
	}
	if err != nil {
		ok = "550 " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	p.say("%s", ok)
}
