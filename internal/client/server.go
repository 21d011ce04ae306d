package client

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/smithy-go"

	"github.com/spotter-video/spotter/internal/fault"
)

// Options say which server, and who asks.
type Options struct {
	// Endpoint is the server's URL; empty: what AWS's variables and files name.
	Endpoint string
	// Credentials is a file of access keys in AWS's form; empty: AWS's variables and files.
	Credentials string
	// Unsigned sends requests without a signature, for servers that ask for none.
	Unsigned bool
}

// Server is a server's API. Safe for concurrent use.
type Server struct{ api *rekognition.Client }

// Open makes ready to ask a server; nothing is sent yet.
func Open(ctx context.Context, o Options) (*Server, error) {
	options := []func(*config.LoadOptions) error{
		config.WithDefaultRegion("us-east-1"), // a server of Spotter's takes any
		// A key that AWS gives a machine of its own is none for a server of the user's, and to ask for one takes seconds elsewhere.
		config.WithEC2IMDSClientEnableState(imds.ClientDisabled),
	}
	if o.Endpoint != "" {
		options = append(options, config.WithBaseEndpoint(o.Endpoint))
	}
	if o.Credentials != "" {
		options = append(options, config.WithSharedCredentialsFiles([]string{o.Credentials}), config.WithSharedConfigFiles(nil))
	}
	if o.Unsigned {
		options = append(options, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, &fault.UsageError{Err: fmt.Errorf("access key: %w", err)}
	}
	if _, err := c.Credentials.Retrieve(ctx); err != nil && !o.Unsigned {
		return nil, &fault.UsageError{Err: errors.New("no access key was found: name the file that has it with --credentials, or with AWS_SHARED_CREDENTIALS_FILE; " +
			"'spotter serve' says where it is")}
	}
	return &Server{rekognition.NewFromConfig(c)}, nil
}

// failed says in a sentence why a request came to nothing. What the server refuses is a mistake in what was asked for
// ([*fault.UsageError]), and one that does not answer is missing ([*fault.EnvironmentError]).
func failed(what string, err error) error {
	if refused := smithy.APIError(nil); errors.As(err, &refused) {
		err = fmt.Errorf("%s: %s (%s)", what, refused.ErrorMessage(), refused.ErrorCode())
		if refused.ErrorFault() == smithy.FaultClient {
			return &fault.UsageError{Err: err}
		}
		return err
	}
	if unreached := (*net.OpError)(nil); errors.As(err, &unreached) {
		return &fault.EnvironmentError{Err: fmt.Errorf("%s: %w", what, unreached), Mend: "Is the server running? --endpoint names another one."}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// code is the name of an error that the server has answered; empty for others.
func code(err error) string {
	if refused := smithy.APIError(nil); errors.As(err, &refused) {
		return refused.ErrorCode()
	}
	return ""
}
