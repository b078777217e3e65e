// What uses the support for tests has the reference interpreter as well.
@_exported public import RunnelReference
