package vendure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"strings"

	"kvart/connectors/rest"
)

// maxUpload is the largest file that is sent: it is held in memory, and shops
// take 20 MB by default.
const maxUpload = 256 << 20

const uploadText = `mutation Upload($input: [CreateAssetInput!]!) {
 createAssets(input: $input) { __typename ... on Asset { id } ... on ErrorResult { errorCode } }
}`

// upload sends a file, and then what is said of it.
func (s *shop) upload(ctx context.Context, so sort, op rest.Op) (id string, err error) {
	if op.Open == nil {
		return "", errors.New("the backup has no file for it")
	}
	f, err := op.Open()
	if err != nil {
		return "", fmt.Errorf("open file: %w", err)
	}
	file, err := io.ReadAll(io.LimitReader(f, maxUpload+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("read file: %w", err)
	}
	if len(file) > maxUpload {
		return "", errors.New("the file is too large to be sent")
	}
	in := s.input(so, op)
	first := map[string]any{"file": nil}
	for _, name := range []string{"tags", "customFields"} {
		if v, ok := in[name]; ok {
			first[name] = v
		}
	}
	body, typ, err := form(map[string]any{"query": uploadText, "variables": map[string]any{"input": []any{first}}}, fileName(op), mimeOf(op), file)
	if err != nil {
		return "", err
	}
	var got struct {
		Done []outcome `json:"createAssets"`
	}
	if err := s.c.run(ctx, rest.Request{Body: body, Header: http.Header{"Content-Type": {typ}}}, &got); err != nil {
		return "", err
	}
	if len(got.Done) != 1 {
		return "", broken(so.Name, "nothing came back of the file that was sent")
	}
	if id, err = got.Done[0].settle(so); err != nil {
		return "", err
	}
	op.Do, op.ID, op.Fields = rest.DoUpdate, id, []string{"name", "focalPoint"}
	return id, s.change(ctx, so, op)
}

// fileName is what the file was called.
func fileName(op rest.Op) string {
	source, _ := op.Full["source"].(string)
	if u, err := url.Parse(source); err == nil && path.Base(u.Path) != "." && path.Base(u.Path) != "/" {
		return path.Base(u.Path)
	}
	name, _ := op.Record["name"].(string)
	return strings.TrimSuffix(name, op.Ext) + op.Ext
}

// mimeOf is what sort of file it is.
func mimeOf(op rest.Op) string {
	if mime, _ := op.Record["mimeType"].(string); mime != "" {
		return mime
	}
	return "application/octet-stream"
}

// form writes a question with a file, as GraphQL takes them.
func form(question map[string]any, name, mime string, file []byte) (body []byte, typ string, err error) {
	text, err := json.Marshal(question)
	if err != nil {
		return nil, "", fmt.Errorf("encode request: %w", err)
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	err = errors.Join(w.WriteField("operations", string(text)), w.WriteField("map", `{"0":["variables.input.0.file"]}`))
	part, bad := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("0", name)}, "Content-Type": {mime},
	})
	if err = errors.Join(err, bad); err != nil {
		return nil, "", fmt.Errorf("encode request: %w", err)
	}
	_, err = part.Write(file)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, "", fmt.Errorf("encode request: %w", err)
	}
	return b.Bytes(), w.FormDataContentType(), nil
}
