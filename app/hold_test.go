package app_test

import (
	"strings"
	"testing"

	"kvart/app"
)

// TestHoldsSecret: whatever way a password, key or token is pasted, it is seen;
// what owners enter every day is not taken for one.
func TestHoldsSecret(t *testing.T) {
	t.Parallel()
	for _, v := range []string{
		"https://asa:hemligt@butik.example", "https://tok3n@butik.example/wp-json", "http://x@127.0.0.1", "postgres://asa:hem%zzligt@db/shop",
		"mysql://root:p@ss/w?rd@db.example:3306/shop", "sftp://asa:hemligt@host/path", "postgres://asa:@x:hemligt@db",
		"asa:hemligt@tcp(db.example:3306)/shop?tls=true", "asa:hemligt@unix(/tmp/mysql.sock)/shop", "root:p/w@tcp([::1]:3306)/", "asa:hemligt@db.example", "asa:p:w@host",
		"Server=db;Database=shop;User Id=asa;Password=hemligt;", "server=db;uid=asa;pwd=hemligt", "host=db user=asa password=hemligt dbname=shop",
		"host=db password = 'hemligt'", "Data Source=db;Pass Phrase=x;PASSWORD = hemligt", "user=asa;passwd=x", "Lösenord=hemligt", "losenord: hemligt", "password:hemligt",
		"https://butik.example/?token=abc", "https://butik.example/api?a=1&api_key=abc", "https://butik.example/?key=abc", "https://x.blob.core.windows.net/c?sv=1&sig=abc",
		"https://butik.example/?consumer_key=ck_1&consumer_secret=cs_2", "https://butik.example/#access_token=abc", "https://butik.example/%3Ftoken%3Dabc", "https://s3.example/b?X-Amz-Signature=abc",
		"AccountName=x;AccountKey=abc==;EndpointSuffix=core.windows.net", "SharedAccessSignature=sv=1", ":s3,provider=Other,access_key_id=a,secret_access_key=b:hink", ":sftp,host=h,user=u,pass=abc:väg",
		"Authorization: Bearer abcdefgh12345678", "Basic YXNhOmhlbWxpZ3Q=", "shpat_0123456789abcdef0123456789abcdef", "ck_0123456789abcdef0123456789abcdef01234567",
		"sk_live_0123456789abcdefghij", "ghp_0123456789abcdefghijklmnopqrstuvwxyz", "xoxb-123456789012-abcdefghijkl", "AKIAIOSFODNN7EXAMPLE",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_def", "-----BEGIN OPENSSH PRIVATE KEY-----", "asa/hemligt@//db.example:1521/SHOP", `{"password": "hemligt"}`,
		"REDIS_PASSWORD=hemligt", "db_pass=x", "client_secret=abc", "x_token=abc", "C:\\Kassa\\kassa.db;Password=hemligt",
	} {
		if !app.HoldsSecret(v) {
			t.Errorf("%q passes", v)
		}
	}
	for _, v := range []string{
		"", "Kassan i Gamla stan", "https://butik.example", "https://butik.example:8443/shop?lang=sv&page=2", "http://[::1]:3000/shop-api", "butik.myshopify.com", "sftp://asa@host.example:22/srv",
		"127.0.0.1", "::1", "[fe80::1%25eth0]:22", "db.example:3306", "asa", "asa@butik.example", "u123456@ssh.host.example", "git@host:path", "asa@host.example:/srv/x", "SQLEXPRESS", `SERVER\SQLEXPRESS`,
		`C:\Users\asa@butik.se\Kassa\kassa.db`, `D:/Kassa/a@b.db`, "/home/asa/Kassa:1/a@b.db", `\\nas\asa@butik\kopior`, "/var/run/mysqld/mysqld.sock", "*.tmp\n/cache\nsession", "*.key", "tokens", "Passagen", "secret garden",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH3 asa@butik.example", "[host.example]:2222 ssh-ed25519 AAAAC3Nza asa@host", "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", "s3.eu-central-003.backblazeb2.com",
		"eu-central-1", "kvart/åsas-butik", "b2:hink/kvart", "003a1b2c3d4e5f60000000001", "2026-11-27T00:00:00Z", "22:00-06:00", "true", "require", "https://butik.example/lösenord",
	} {
		if app.HoldsSecret(v) {
			t.Errorf("%q is taken for a secret", v)
		}
	}
}

// TestSetupDraft_Without: whatever way a secret came into a draft, it isn't in
// what is kept.
func TestSetupDraft_Without(t *testing.T) {
	t.Parallel()
	forms := app.Forms{
		Sources:  []app.KindSpec{{Kind: "mysql", Fields: []app.Field{{Key: "host", Type: app.FieldText}, {Key: "database", Type: app.FieldText}, {Key: "password", Type: app.FieldSecret}}}},
		Storages: []app.KindSpec{{Kind: "rclone", Fields: []app.Field{{Key: "remote", Type: app.FieldText}}}},
	}
	leak := []string{"asa:hemligt@tcp(db:3306)/shop", "Server=db;Password=hemligt;", "https://hemligt@db", "https://db/?token=hemligt"}
	for _, v := range leak {
		d := app.SetupDraft{Page: v, Shop: v, Picks: []app.DraftPick{{
			Kind: "mysql", Name: v, Found: map[string]string{"host": v, "database": "shop"}, Settings: map[string]string{"host": v, "password": "hemligt", "odd": "hemligt"},
		}}, Storage: app.DraftStorage{Kind: "rclone", Settings: map[string]string{"remote": v}}}.Without(forms)
		kept := []string{d.Page, d.Shop, d.Picks[0].Name, string(d.Picks[0].Kind)}
		for _, m := range []map[string]string{d.Picks[0].Found, d.Picks[0].Settings, d.Storage.Settings} {
			for _, v := range m {
				kept = append(kept, v)
			}
		}
		if all := strings.Join(kept, "\n"); strings.Contains(all, "hemligt") || d.Picks[0].Found["database"] != "shop" {
			t.Errorf("of %q is kept: %s", v, all)
		}
	}
}
