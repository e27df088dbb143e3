package agent

import (
	"strings"
	"testing"

	"kvart/app"
)

// TestBlot_realLines: lines as this program writes them, with what was removed
// from the settings since and what never was in them.
func TestBlot_realLines(t *testing.T) {
	t.Parallel()
	d := Document{
		Vault:   &VaultPlace{Shop: "Björnbär", Kind: "sftp", Settings: map[string]string{"host": "nas", "path": "/volume1/kvart"}},
		Sources: []app.Source{{ID: "kassan", Name: "Kassan", Settings: map[string]string{"path": "/home/asa/Kassa/kassa.db"}}},
	}
	hide := newBlot(d, "ASAS-DATOR", "/home/asa", "/home/asa/.local/share/kvart", "Åsa Öberg")
	for _, c := range []struct {
		line string
		gone []string // what must not be left
		kept []string // what helps
	}{
		{
			`{"time":"2026-11-22T21:36:32.975666608Z","level":"WARN","msg":"Backup failed","source":"bilder-gamla","code":"source_empty","error":{"args":{"path":"/tmp/Kafferosteriet Granen/Bilder"},"code":"source_empty","detail":"/tmp/Kafferosteriet Granen/Bilder held files and is empty now","op":"folder: capture"}}`,
			[]string{"bilder", "Granen", "/tmp"},
			[]string{"2026-11-22T21:36:32Z", "Backup failed", "source_empty", "folder: capture", "[source]", "held files and is empty now"},
		},
		{
			`{"level":"WARN","msg":"Job failed","job":"backup","error":"folder: capture: /tmp/Kafferosteriet Granen/Bilder held files and is empty now"}`,
			[]string{"Granen", "Bilder"},
			[]string{`"job":"backup"`, "folder: capture"},
		},
		{
			`{"level":"INFO","msg":"Backup","source":"bilder-gamla","state":"done","uploaded":1892325,"seconds":0.141700307}`,
			[]string{"bilder"},
			[]string{`"uploaded":1892325`, `"seconds":0.141700307`, `"state":"done"`},
		},
		{
			`{"level":"INFO","msg":"Backup","source":"kassan","state":"done"}`,
			[]string{"kassan"},
			[]string{`"source":"[source-1]"`},
		},
		{
			`{"level":"WARN","msg":"Backup failed","source":"kassan","code":"replaced","error":{"args":{"computer":"Butiksdatorn"},"code":"replaced","detail":"ff613190fd690d78 took this computer's place","op":"store"}}`,
			[]string{"Butiksdatorn"},
			[]string{"took this computer's place", `"op":"store"`},
		},
		{
			`{"level":"WARN","msg":"Storage not reached","error":"dial tcp: lookup backup.granens-kaffe.se on 192.168.1.1:53: no such host"}`,
			[]string{"granens", "192.168"},
			[]string{"dial tcp", "no such host"},
		},
		{
			`{"level":"WARN","msg":"Storage not reached","error":"dial tcp: lookup butiksserver: no such host; dial tcp kontoret:445: connect: connection refused"}`,
			[]string{"butiksserver", "kontoret"},
			[]string{"no such host", ":445", "connection refused"},
		},
		{
			`{"level":"WARN","msg":"Storage not reached","error":"dial tcp [fe80::1c2d:3eff%eth0]:22: connect: no route to host"}`,
			[]string{"fe80", "3eff"},
			[]string{"no route to host"},
		},
		{
			`{"level":"WARN","msg":"Storage not reached","error":"read tcp 2a02:1406:12::7:50122->[2001:db8:0:0:8:800:200c:417a]:443: i/o timeout at 18:32:01"}`,
			[]string{"2a02", "1406", "2001:", "417a"},
			[]string{"i/o timeout", "18:32:01"},
		},
		{
			`{"level":"WARN","msg":"Storage not reached","error":"::ffff:192.168.4.17 and ::1 and fe80:: refused"}`,
			[]string{"192.168", "::1", "fe80"},
			[]string{"refused"},
		},
		{
			`{"level":"WARN","msg":"Certificate","error":"x509: certificate is valid for *.one.example, granen.se, not shop.granen.se"}`,
			[]string{"granen", "one.example"},
			[]string{"x509: certificate is valid for"},
		},
		{
			`{"level":"WARN","msg":"Not read","path":"C:\\Users\\Åsa Öberg\\Granens kassa\\kassa.db","error":"open C:\\Users\\Åsa Öberg\\Granens kassa\\kassa.db: The process cannot access the file"}`,
			[]string{"Åsa", "Öberg", "Granens", "kassa.db"},
			[]string{"The process cannot access the file"},
		},
		{
			`{"level":"WARN","msg":"Not read","error":"open \\\\NAS-GRANEN\\kopior\\2026: network name cannot be found; open \\\\?\\D:\\Granen: denied"}`,
			[]string{"GRANEN", "Granen", "kopior"},
			[]string{"network name cannot be found", "denied"},
		},
		{
			`{"level":"WARN","msg":"Item unreadable","error":"open Bilder/Maria Lind/pass.jpg: permission denied"}`,
			[]string{"Maria/", "pass.jpg", "Bilder/"},
			[]string{"permission denied"},
		},
		{
			`{"level":"WARN","msg":"Leftover not removed","path":"/var/lib/granen/x","error":"unlinkat /var/lib/granen/x y/z: device busy"}`,
			[]string{"granen", "x y"},
			[]string{"unlinkat", "device busy"},
		},
		{
			`{"level":"WARN","msg":"Source not reached","error":"Error 1045 (28000): Access denied for user 'granen_kassa'@'localhost' (using password: YES)"}`,
			[]string{"granen_kassa"},
			[]string{"Error 1045", "Access denied for user", "using password: YES"},
		},
		{
			`{"level":"WARN","msg":"Source not reached","error":"pq: password authentication failed for user \"granen\" at database \"kaffe\""}`,
			[]string{"granen", "kaffe"},
			[]string{"password authentication failed"},
		},
		{
			`{"level":"WARN","msg":"Source not found","error":"no source \"Gamla kassan\"; there are: Kassan, Granens bilder","sources":["Granens bilder"]}`,
			[]string{"Gamla", "Kassan", "Granens"},
			[]string{"no source", "there are: [source-1]"},
		},
		{
			`{"level":"WARN","msg":"Alert not taken yet","channel":"Marias mobil","error":"post: 550 5.1.1 <maria.lind@granen.se>: user unknown; \"å s\"@granen.se asa@localhost ÅSA@GRÅNEN.SE"}`,
			[]string{"maria", "Marias", "granen", "asa@", "GRÅNEN"},
			[]string{"550 5.1.1", "user unknown"},
		},
		{
			`{"level":"WARN","msg":"Alert not taken yet","error":"call +46 70-123 45 67 or 0701234567 or 070-123 45 67"}`,
			[]string{"123 45", "0701234567"},
			[]string{"call"},
		},
		{
			`{"level":"WARN","msg":"Host key changed","where":"nas.granen.se","fingerprint":"SHA256:47DEQpj8HBSa","error":{"code":"host_key_changed","args":{"host_key":"ssh-ed25519 AAAAC3 asa@nas","where":"nas.granen.se:22"},"detail":"another key from nas.granen.se"}}`,
			[]string{"granen", "47DEQ", "AAAAC3"},
			[]string{"host_key_changed", "another key from"},
		},
		{
			`{"level":"WARN","msg":"Network","error":"device 3c:22:fb:9a:00:1e on kontorets wlan"}`,
			[]string{"3c:22", "00:1e"},
			[]string{"device"},
		},
		{
			`{"level":"WARN","msg":"Blob","blob":"kopia.blobcfg","error":"open vault: error getting kopia.blobcfg blob: context.Canceled"}`,
			nil,
			[]string{"error getting kopia.blobcfg blob: context.Canceled"},
		},
		{
			`{"level":"WARN","msg":"Cut off","error":"open /home/asa/Granen/kas`,
			[]string{"Granen", "asa"},
			[]string{"open [path]"},
		},
		{
			`panic: open /home/maria/Granen/kassa.db: lookup nas.granen.se`,
			[]string{"maria", "granen", "Granen"},
			[]string{"panic: open"},
		},
	} {
		got := hide.also(namesIn([]string{c.line})).line(c.line)
		for _, w := range c.gone {
			if strings.Contains(got, w) {
				t.Errorf("%q is left of\n  %s\n  %s", w, c.line, got)
			}
		}
		for _, w := range c.kept {
			if !strings.Contains(got, w) {
				t.Errorf("%q is lost of\n  %s\n  %s", w, c.line, got)
			}
		}
	}
}

// TestSupport_removedSource: what was removed is named in the log where it was
// there, and nowhere in what is sent.
func TestSupport_removedSource(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.Recent = func() []string {
		lines := []string{`{"level":"INFO","msg":"Backup","source":"Ceramik-Ulrika","state":"done"}`}
		for range supportLines {
			lines = append(lines, `{"level":"WARN","msg":"Job failed","error":"restore of Ceramik-Ulrika was cut off"}`)
		}
		return lines
	}
	b, err := s.Support(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range b.Files {
		if strings.Contains(f.Text, "Ulrika") {
			t.Errorf("%s: %.200s", f.Name, f.Text)
		}
		if f.Name == "log.txt" && !strings.Contains(f.Text, "restore of [source] was cut off") {
			t.Errorf("%.200s", f.Text)
		}
	}
}
