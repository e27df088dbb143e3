package shopify

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"testing"
	"time"

	"kvart/app"
	fake "kvart/connectors/fakeshop/shopify"
)

// addTheme puts in a theme with a text, a picture, and a file so large that the
// shop only tells where it lies.
func addTheme(f *fake.Shop, layout string) string {
	file := func(name string, body fake.Object) fake.Object {
		return fake.Object{
			"__typename": "OnlineStoreThemeFile", "filename": name, "checksumMd5": name, "size": "1", "contentType": "x/y",
			"updatedAt": "2026-01-01T00:00:00Z", "body": body,
		}
	}
	return f.Add(fake.Object{"__typename": "OnlineStoreTheme", "name": "Dawn", "role": "MAIN", "prefix": "", "files": []any{
		file("layout/theme.liquid", fake.Object{"__typename": "OnlineStoreThemeFileBodyText", "content": layout}),
		file("assets/logo.png", fake.Object{"__typename": "OnlineStoreThemeFileBodyBase64", "contentBase64": base64.StdEncoding.EncodeToString([]byte{1, 2, 3})}),
		file("assets/big.js", fake.Object{"__typename": "OnlineStoreThemeFileBodyUrl", "url": f.PutFile("big.js", []byte("let x"))}),
	}})
}

func TestThemeArchive(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	theme := addTheme(g.fake, "<html>")
	g.clock.add(time.Hour)
	point := g.point(t)
	var archive bytes.Buffer
	if err := ThemeArchive(&archive, point, theme); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		got[f.Name] = string(body)
	}
	if len(got) != 3 || got["layout/theme.liquid"] != "<html>" || got["assets/logo.png"] != "\x01\x02\x03" || got["assets/big.js"] != "let x" {
		t.Errorf("archive: %q", got)
	}
	if err := ThemeArchive(io.Discard, point, "gid://shopify/OnlineStoreTheme/1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a theme that is not there: %v", err)
	}
	plan, err := g.engine.Plan(t.Context(), app.Restore{Access: g.access, From: point})
	if err != nil || plan.Create+plan.Overwrite != 0 {
		t.Errorf("plan: %+v, %v", plan, err)
	}
}

// TestThemes_quarter reads a theme's files again only when the theme changed.
func TestThemes_quarter(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	theme := addTheme(g.fake, "<html>")
	g.clock.add(time.Hour)
	g.point(t)
	g.clock.add(time.Hour)
	g.fake.Forget()
	g.point(t)
	if n := g.requests()["ThemeFiles"]; n != 0 {
		t.Errorf("files were listed %d times though nothing changed", n)
	}
	files := g.fake.Get(theme)["files"].([]any)
	changed := files[0].(fake.Object)
	changed["body"], changed["updatedAt"] = fake.Object{"__typename": "OnlineStoreThemeFileBodyText", "content": "<body>"}, g.clock.now().Format(time.RFC3339)
	g.fake.Change(theme, fake.Object{"files": files})
	g.clock.add(15 * time.Minute)
	g.fake.Forget()
	point := g.point(t)
	if n := g.requests()["ThemeBodies"]; n != 1 {
		t.Errorf("contents were read %d times", n)
	}
	var archive bytes.Buffer
	if err := ThemeArchive(&archive, point, theme); err != nil || !bytes.Contains(unzip(t, archive.Bytes(), "layout/theme.liquid"), []byte("<body>")) {
		t.Errorf("the change is not in the archive: %v", err)
	}
}

func unzip(t *testing.T, archive []byte, name string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := fs.ReadFile(z, name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestRestore_texts brings back a policy, and translations of a page that had to
// be made again.
func TestRestore_texts(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	g.fake.AddLocale("en")
	id := g.fake.Add(fake.Object{"__typename": "Page", "handle": "om", "title": "Om oss", "body": "<p>Hej</p>", "isPublished": false})
	g.fake.Translate(id, "en", "title", "About us")
	g.clock.add(time.Hour)
	point := g.point(t)
	g.clock.add(20 * time.Minute)
	g.fake.Delete(id, "Robin")
	g.fake.SetPolicy("REFUND_POLICY", "<p>Aldrig.</p>")
	g.apply(t, app.Restore{Access: g.access, From: point})
	again := find(t, g.fake, "Page", "handle", "om")
	if got := g.fake.Texts(again["id"].(string)); got["en title"] != "About us" {
		t.Errorf("translations: %v", got)
	}
	if got := g.fake.Policy("REFUND_POLICY"); got != "<p>Öppet köp i 30 dagar.</p>" {
		t.Errorf("policy: %s", got)
	}
	g.verify(t, app.Restore{Access: g.access, From: point})
}
