package webhotel

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"
)

func (p *ftpTalk) passive() {
	if p.data != nil {
		_ = p.data.Close()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.say("425 no")
		return
	}
	p.data = l
	p.say("229 here (|||%d|)", l.Addr().(*net.TCPAddr).Port)
}

func (p *ftpTalk) transfer(cmd, arg string) {
	if p.data == nil {
		p.say("425 no")
		return
	}
	defer func() { _ = p.data.Close(); p.data = nil; p.rest = 0 }()
	if p.s.busy.Add(-1) >= 0 {
		p.say("450 come back later")
		return
	}
	if _, err := os.Stat(p.at(arg)); err != nil && cmd == "RETR" {
		p.say("550 Failed to open file.")
		return
	}
	p.say("150 here it comes")
	conn, err := p.data.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	if p.private {
		secure := tls.Server(conn, p.s.tls)
		if err := secure.Handshake(); err != nil || p.s.reuse && !secure.ConnectionState().DidResume {
			p.say("522 SSL connection failed: session reuse required")
			return
		}
		conn = secure
	}
	if err := p.move(cmd, arg, conn); err != nil {
		p.say("426 %v", err)
		return
	}
	_ = conn.Close()
	p.say("226 done")
}

func (p *ftpTalk) move(cmd, arg string, conn net.Conn) error {
	switch cmd {
	case "STOR":
		f, err := os.Create(p.at(arg))
		if err != nil {
			return err
		}
		_, err = io.Copy(f, conn)
		if keeps := p.s.keeps.Load(); keeps > 0 && err == nil {
			if fi, statErr := f.Stat(); statErr == nil && fi.Size() > keeps {
				err = f.Truncate(keeps)
			}
		}
		return errors.Join(err, f.Close())
	case "RETR":
		p.s.retrs.Add(1)
		f, err := os.Open(p.at(arg))
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := f.Seek(p.rest, io.SeekStart); err != nil {
			return err
		}
		if p.s.cutAfter > 0 && p.s.cuts.Add(-1) >= 0 {
			_, _ = io.CopyN(conn, f, p.s.cutAfter)
			_ = p.conn.Close()
			return errors.New("cut")
		}
		_, err = io.Copy(conn, f)
		return err
	}
	list, err := os.ReadDir(p.at("."))
	if err != nil {
		return err
	}
	out := bufio.NewWriter(conn)
	if cmd == "LIST" {
		fmt.Fprint(out, "drwxr-xr-x 2 shop shop 4096 Jan  1  2020 .\r\n")
	}
	for _, d := range list {
		fi, err := d.Info()
		if err == nil {
			p.line(out, cmd, filepath.Join(p.at("."), d.Name()), fi)
		}
	}
	for _, line := range p.s.lines {
		fmt.Fprint(out, line+"\r\n")
	}
	return out.Flush()
}

func (p *ftpTalk) line(w io.Writer, cmd, at string, fi fs.FileInfo) {
	link, _ := os.Readlink(at)
	if real, err := filepath.EvalSymlinks(at); err == nil && p.s.hidden {
		link, at = "", real
		if fi, err = named(fi.Name(), real); err != nil {
			return
		}
	}
	if cmd == "MLSD" {
		kind := "file"
		if fi.IsDir() {
			kind = "dir"
		} else if link != "" {
			kind = "OS.unix=symlink"
		}
		fmt.Fprintf(w, "type=%s;size=%d;modify=%s;UNIX.mode=0%o;unique=%x; %s\r\n", kind, fi.Size(), fi.ModTime().UTC().Format(factTime), fi.Mode().Perm(), at, fi.Name())
		return
	}
	when := fi.ModTime().UTC().Add(p.s.zone)
	text := when.Format("Jan _2 15:04")
	if time.Since(fi.ModTime()) > 180*24*time.Hour {
		text = when.Format("Jan _2  2006")
	}
	name, mode := fi.Name(), fi.Mode().String()
	if link != "" {
		name, mode = name+" -> "+link, "lrwxrwxrwx"
	}
	fmt.Fprintf(w, "%s 1 shop shop %d %s %s\r\n", mode, fi.Size(), text, name)
}

// renamed is what lies at one place under another name.
type renamed struct {
	fs.FileInfo
	name string
}

func (r renamed) Name() string { return r.name }

func named(name, at string) (fs.FileInfo, error) {
	fi, err := os.Stat(at)
	return renamed{fi, name}, err
}
