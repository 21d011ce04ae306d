package awsapi

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/service"
)

// These run the clients that people have installed, where this machine has them: they sign and read answers in their own
// ways, see the table of headers that each signs in package sigv4.

func TestPython(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts another program")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	out, err := exec.CommandContext(t.Context(), python, "-c", "import boto3").CombinedOutput()
	if err != nil {
		t.Skipf("python3 has no boto3: %s", out)
	}
	b := newBench(t, nil, describeOp(service.Errorf(service.NotFound, "none")), listOp(nil))
	const script = `
import boto3, os
from botocore.exceptions import ClientError
c = boto3.client("rekognition", endpoint_url=os.environ["URL"])
r = c.list_collections()
print(r["CollectionIds"][1], len(r["ResponseMetadata"]["RequestId"]))
try:
    c.describe_collection(CollectionId="staff")
except c.exceptions.ResourceNotFoundException as e:
    print(e.response["Error"]["Message"])
try:
    c.detect_text(Image={"Bytes": b"x"})
except ClientError as e:
    print(e.response["Error"]["Code"], e.response["Error"]["Message"][:36])
try:
    c.describe_collection(CollectionId="bad id!")
except ClientError as e:
    print(e.response["Error"]["Code"])
try:
    boto3.client("rekognition", endpoint_url=os.environ["URL"], aws_secret_access_key="x",
                 aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"]).list_collections()
except ClientError as e:
    print(e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"])
`
	command := exec.CommandContext(t.Context(), python, "-c", script)
	command.Env = append(clientEnvironment(), "URL="+b.url)
	if out, err = command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := ann + " 36\nCollection:staff not found!\nUnknownOperationException Spotter does not support DetectText.\nValidationException\n" +
		"InvalidSignatureException 400\n"
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts another program")
	}
	client, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("there is no aws command line")
	}
	b := newBench(t, nil, listOp(nil))
	command := exec.CommandContext(t.Context(), client, "--endpoint-url", b.url,
		"rekognition", "list-collections", "--query", "CollectionIds[1]", "--output", "text")
	command.Env = clientEnvironment()
	out, err := command.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != ann {
		t.Errorf("%v: got %s", err, out)
	}
}

// clientEnvironment has what a client needs, and no settings of whoever runs the tests.
func clientEnvironment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "AWS_CONFIG_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=" + keyID, "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_DEFAULT_REGION=eu-west-3",
	}
}
